#include <algorithm>
#include <limits>
#include <optional>

#include "adze/base/text.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/engine/steps/coded_product.h"
#include "adze/engine/steps/convolution_s8.h"
#include "adze/engine/steps/dense_bf16.h"
#include "adze/engine/steps/dense_f32.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/product_s8.h"
#include "adze/engine/steps/signs.h"
#include "adze/engine/steps/sparse_f32.h"
#include "adze/engine/steps/sums_s8.h"

namespace adze::engine {

namespace {

using kernels::GemmF32;
using kernels::GemmF32Shape;

constexpr float infinity = std::numeric_limits<float>::infinity();

void set_clamp(GemmF32Shape& shape, const Node& node) {
  shape.low = node.has("fused_low") ? node.get_float("fused_low") : -infinity;
  shape.high = node.has("fused_high") ? node.get_float("fused_high") : infinity;
}

/// A product with constant weights: y[i, j] = clamp(bias[j] + sum over k x[i, k] * w[k * depth_step + j * column_step]
/// * factor).
struct WeightProduct {
  GemmF32Shape shape;
  Elements<float> weights;
  std::int64_t depth_step, column_step;
  float factor;
  std::vector<float> bias;
};

std::optional<WeightProduct> gemm_of(const BindContext& context) {
  const Node& node = context.node();
  const Tensor* weights = context.constant(1);
  if (context.dtype(0) != DType::F32 || weights == nullptr || node.get_int("transA", 0) != 0) return std::nullopt;
  const Shape a = context.shape(0), y = context.output_shape();
  const bool turned = node.get_int("transB", 0) != 0;
  WeightProduct product{{1, a[0], a[1], y[1], 0.0f, 0.0f},
                        weights->elements<float>(),
                        turned ? 1 : y[1],
                        turned ? a[1] : 1,
                        node.get_float("alpha"),
                        {}};
  set_clamp(product.shape, node);
  if (!context.has(2)) return product;
  const Tensor* c = context.constant(2);
  if (c == nullptr || (c->size() != 1 && (c->shape().back() != c->size() || c->size() != y[1]))) return std::nullopt;
  for (std::int64_t j = 0; j < y[1]; ++j) {
    product.bias.push_back(node.get_float("beta") * c->data<float>()[static_cast<std::size_t>(c->size() == 1 ? 0 : j)]);
  }
  return product;
}

std::optional<WeightProduct> matmul_of(const BindContext& context) {
  const Tensor* weights = context.constant(1);
  if (context.dtype(0) != DType::F32 || weights == nullptr || weights->rank() != 2) return std::nullopt;
  const Shape a = context.shape(0);
  if (a.size() < 2) return std::nullopt;
  const std::int64_t depth = a.back(), columns = weights->dim(1);
  WeightProduct product{
      {1, num_elements(a) / depth, depth, columns, 0.0f, 0.0f}, weights->elements<float>(), columns, 1, 1.0f, {}};
  set_clamp(product.shape, context.node());
  if (context.has(2)) {  // fuse_functions
    const auto bias = context.constant(2)->data<float>();
    product.bias.assign(bias.begin(), bias.end());
  }
  return product;
}

std::optional<WeightProduct> product_of(const BindContext& context) {
  return context.node().kind == OpKind::Gemm ? gemm_of(context) : matmul_of(context);
}

/// make: a step for a problem of the own kernels.
template <typename Make>
std::unique_ptr<Step> bind_own(const BindContext& context, const Make& make) {
  const auto product = product_of(context);
  if (!product) return nullptr;
  const GemmF32Shape& shape = product->shape;
  DenseF32Problem problem;
  problem.geometry.in_width = problem.geometry.out_width = shape.rows;
  problem.geometry.in_channels = shape.depth;
  problem.geometry.out_channels = shape.columns;
  problem.weights = {product->weights, 1, shape.depth, shape.columns, 0, product->depth_step, product->column_step,
                     product->factor};
  if (!product->bias.empty()) {
    problem.bias = [&](std::int64_t j) { return product->bias[static_cast<std::size_t>(j)]; };
  }
  problem.low = shape.low;
  problem.high = shape.high;
  return make(context, problem);
}

std::unique_ptr<Step> bind_dense(const BindContext& context) {
  return bind_own(context, make_dense_f32_step);
}

std::unique_ptr<Step> bind_sparse(const BindContext& context) {
  return bind_own(context, make_sparse_f32_step);
}

std::unique_ptr<Step> bind_single_sparse(const BindContext& context) {
  return bind_own(context, make_single_sparse_f32_step);
}

std::unique_ptr<Step> bind_block_sparse(const BindContext& context) {
  return bind_own(context, make_block_sparse_f32_step);
}

std::unique_ptr<Step> bind_dense_bf16(const BindContext& context) {
  return context.compute() == Compute::Bf16 ? bind_own(context, make_dense_bf16_step) : nullptr;
}

/// oneDNN, weights packed; the kernel is kept for the same number of rows.
std::unique_ptr<Step> bind_onednn(const BindContext& context) {
  const auto product = product_of(context);
  if (!product) return nullptr;
  GemmF32Shape shape = product->shape;
  const std::string key = cat("gemm_f32 ", shape.rows, " ", shape.low, " ", shape.high);
  const auto kernel = context.weights().get<std::shared_ptr<const GemmF32>>(context.origin(), key, [&] {
    std::vector<float> w;
    for (std::int64_t k = 0; k < shape.depth; ++k) {
      for (std::int64_t j = 0; j < shape.columns; ++j) {
        w.push_back(product->factor * product->weights[k * product->depth_step + j * product->column_step]);
      }
    }
    shape.weights = w.data();
    shape.bias = product->bias.empty() ? nullptr : product->bias.data();
    std::shared_ptr<const GemmF32> made = kernels::make_gemm_f32(shape, context.isa());
    context.weights().count_bytes(made->packed_bytes());
    return made;
  });
  const float* a = context.in<float>(0);
  float* y = context.out<float>();
  return make_step((*kernel)->name(), [=, rows = shape.rows, post_ops = PostOps(context)] {
    (*kernel)->run(a, nullptr, y);
    post_ops.apply(y, 0, rows);
  });
}

/// A product of two activations with the same leading dimensions.
std::optional<GemmF32Shape> shape_of_matmul(const BindContext& context) {
  if (context.dtype(0) != DType::F32) return std::nullopt;
  const Shape a = context.shape(0), b = context.shape(1);
  if (a.size() < 2 || b.size() < 2) return std::nullopt;
  GemmF32Shape shape{1, a[a.size() - 2], a.back(), b.back(), 0.0f, 0.0f};
  set_clamp(shape, context.node());
  shape.batch = num_elements(Shape(a.begin(), a.end() - 2));
  if (Shape(a.begin(), a.end() - 2) != Shape(b.begin(), b.end() - 2)) return std::nullopt;
  return shape;
}

std::unique_ptr<Step> bind_matmul_bf16(const BindContext& context) {
  const auto shape = shape_of_matmul(context);
  if (!shape || context.has(2)) return nullptr;
  return make_product_bf16_step(context,
                                {shape->batch, shape->rows, shape->depth, shape->columns, shape->low, shape->high});
}

std::unique_ptr<Step> bind_matmul(const BindContext& context) {
  const auto found = shape_of_matmul(context);
  if (!found) return nullptr;
  GemmF32Shape shape = *found;
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
  static const BinderEntry entries[] = {{OpKind::Gemm, bind_dense_bf16, "dense_bf16"},
                                        {OpKind::Gemm, bind_sparse, "sparse_f32"},
                                        {OpKind::Gemm, bind_dense, "dense_f32"},
                                        {OpKind::Gemm, bind_onednn, "onednn"},
                                        {OpKind::Gemm, bind_single_sparse, "sparse_f32 single"},
                                        {OpKind::Gemm, bind_block_sparse, "sparse_f32 blocks"},
                                        {OpKind::MatMul, bind_dense_bf16, "dense_bf16"},
                                        {OpKind::MatMul, bind_sparse, "sparse_f32"},
                                        {OpKind::MatMul, bind_dense, "dense_f32"},
                                        {OpKind::MatMul, bind_onednn, "onednn"},
                                        {OpKind::MatMul, bind_single_sparse, "sparse_f32 single"},
                                        {OpKind::MatMul, bind_block_sparse, "sparse_f32 blocks"},
                                        {OpKind::MatMul, bind_matmul_bf16, "batched_bf16"},
                                        {OpKind::MatMul, bind_matmul, "batched"},
                                        {OpKind::QGemm, bind_signs, "signs"},
                                        {OpKind::QGemm, bind_coded_lowbit, "lowbit"},
                                        {OpKind::QGemm, bind_coded_decoded, "decoded"},
                                        {OpKind::QGemm, bind_coded_expanded, "expanded"},
                                        {OpKind::QGemm, bind_quantized_gemm, "quantized"},
                                        {OpKind::QGemm, bind_dense_quantized_gemm, "dense_s8"},
                                        {OpKind::QGemm, bind_single_sparse_gemm, "sparse_s8 single"},
                                        {OpKind::QGemm, bind_block_sparse_gemm, "sparse_s8 blocks"},
                                        {OpKind::QMatMul, bind_quantized_matmul},
                                        {OpKind::MatMulInteger, bind_integer_sums, "weights"},
                                        {OpKind::MatMulInteger, bind_integer_matmul, "batched"}};
  return entries;
}

}  // namespace adze::engine
