#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/engine/steps/convolution_s8.h"

namespace adze::engine {

namespace {

using kernels::GemmF32;
using kernels::GemmF32Shape;

constexpr float infinity = std::numeric_limits<float>::infinity();

void set_clamp(GemmF32Shape& shape, const Node& node) {
  shape.low = node.has("fused_low") ? node.get_float("fused_low") : -infinity;
  shape.high = node.has("fused_high") ? node.get_float("fused_high") : infinity;
}

/// A step for packed weights; the kernel is kept for the same number of rows.
std::unique_ptr<Step> packed_step(const BindContext& context, const GemmF32Shape& shape) {
  const std::string key = cat("gemm_f32 ", shape.batch * shape.rows, " ", shape.low, " ", shape.high);
  const auto kernel = context.weights().get<std::shared_ptr<const GemmF32>>(context.origin(), key, [&] {
    std::shared_ptr<const GemmF32> made = kernels::make_gemm_f32(shape, context.isa());
    context.weights().count_bytes(made->packed_bytes());
    return made;
  });
  const float* a = context.in<float>(0);
  float* y = context.out<float>();
  return make_step((*kernel)->name(), [=] { (*kernel)->run(a, nullptr, y); });
}

std::unique_ptr<Step> bind_gemm(const BindContext& context) {
  const Node& node = context.node();
  const Tensor* weights = context.constant(1);
  if (context.dtype(0) != DType::F32 || weights == nullptr || node.get_int("transA", 0) != 0) return nullptr;
  const Shape a = context.shape(0), y = context.output_shape();
  GemmF32Shape shape{1, a[0], a[1], y[1], 0.0f, 0.0f};
  set_clamp(shape, node);
  const float alpha = node.get_float("alpha"), beta = node.get_float("beta");
  const bool turned = node.get_int("transB", 0) != 0;
  std::vector<float> w(static_cast<std::size_t>(shape.depth * shape.columns));
  const auto given = weights->data<float>();
  for (std::int64_t k = 0; k < shape.depth; ++k) {
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      const std::int64_t from = turned ? j * shape.depth + k : k * shape.columns + j;
      w[static_cast<std::size_t>(k * shape.columns + j)] = alpha * given[static_cast<std::size_t>(from)];
    }
  }
  std::vector<float> bias;
  if (context.has(2)) {
    const Tensor* c = context.constant(2);
    if (c == nullptr || (c->size() != 1 && c->shape().back() != c->size()) ||
        (c->size() != 1 && c->size() != shape.columns)) {
      return nullptr;
    }
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      bias.push_back(beta * c->data<float>()[static_cast<std::size_t>(c->size() == 1 ? 0 : j)]);
    }
  }
  shape.weights = w.data();
  shape.bias = bias.empty() ? nullptr : bias.data();
  return packed_step(context, shape);
}

std::unique_ptr<Step> bind_matmul(const BindContext& context) {
  if (context.dtype(0) != DType::F32) return nullptr;
  const Shape a = context.shape(0), b = context.shape(1);
  if (a.size() < 2 || b.size() < 2) return nullptr;
  GemmF32Shape shape{1, a[a.size() - 2], a.back(), b.back(), 0.0f, 0.0f};
  set_clamp(shape, context.node());
  shape.batch = num_elements(Shape(a.begin(), a.end() - 2));
  if (const Tensor* weights = context.constant(1); weights != nullptr && b.size() == 2) {
    shape.rows *= shape.batch;
    shape.batch = 1;
    shape.weights = weights->data<float>().data();
    return packed_step(context, shape);
  }
  if (Shape(a.begin(), a.end() - 2) != Shape(b.begin(), b.end() - 2)) return nullptr;
  const std::int64_t batch = shape.batch;
  shape.batch = 1;
  const std::shared_ptr<const GemmF32> kernel = kernels::make_gemm_f32(shape, context.isa());
  const float* left = context.in<float>(0);
  const float* right = context.in<float>(1);
  float* y = context.out<float>();
  const int threads = context.threads();
  return make_step(kernel->name(), [=] {
    run_parallel(threads, batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        kernel->run(left + i * shape.rows * shape.depth, right + i * shape.depth * shape.columns,
                    y + i * shape.rows * shape.columns);
      }
    });
  });
}

}  // namespace

std::span<const BinderEntry> product_binders() {
  static const BinderEntry entries[] = {
      {OpKind::Gemm, bind_gemm}, {OpKind::MatMul, bind_matmul}, {OpKind::QGemm, bind_quantized_gemm}};
  return entries;
}

}  // namespace adze::engine
