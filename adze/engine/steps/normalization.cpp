#include <cmath>

#include "adze/engine/kernels/rows_f32/rows_f32.h"
#include "adze/engine/step.h"

namespace adze::engine {

namespace {

constexpr std::int64_t element_grain = 1 << 13;

std::unique_ptr<Step> bind_softmax(const BindContext& context) {
  const Shape shape = context.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (context.dtype(0) != DType::F32 || rank == 0) return nullptr;
  if (normalize_axis(context.node().get_int("axis"), rank) != rank - 1) return nullptr;
  const bool logarithm = context.node().kind == OpKind::LogSoftmax;
  const float* x = context.in<float>(0);
  float* y = context.out<float>();
  const std::int64_t length = shape.back(), rows = num_elements(shape) / length;
  const int threads = context.threads();
  const kernels::RowsF32Kernel& kernel = kernels::rows_f32_kernel(context.isa());
  return make_step(kernel.name, [=, softmax = kernel.softmax] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / length),
                 [&](std::int64_t begin, std::int64_t end) {
                   softmax({x + begin * length, y + begin * length, end - begin, length}, logarithm);
                 });
  });
}

std::unique_ptr<Step> bind_layer_normalization(const BindContext& context) {
  const Shape shape = context.shape(0);
  const Node& node = context.node();
  if (context.dtype(0) != DType::F32 || node.output(1) != ValueId::None || node.output(2) != ValueId::None)
    return nullptr;
  if (shape.empty()) return nullptr;
  const std::int64_t axis = normalize_axis(node.get_int("axis"), static_cast<std::int64_t>(shape.size()));
  const Shape inner(shape.begin() + axis, shape.end());
  if (context.shape(1) != inner || (context.has(2) && context.shape(2) != inner)) return nullptr;
  const float* x = context.in<float>(0);
  const float* scale = context.in<float>(1);
  const float* bias = context.has(2) ? context.in<float>(2) : nullptr;
  float* y = context.out<float>();
  const std::int64_t length = num_elements(inner), rows = num_elements(shape) / length;
  const float epsilon = node.get_float("epsilon");
  const int threads = context.threads();
  const kernels::RowsF32Kernel& kernel = kernels::rows_f32_kernel(context.isa());
  return make_step(kernel.name, [=, layer_norm = kernel.layer_norm] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / length),
                 [&](std::int64_t begin, std::int64_t end) {
                   layer_norm({x + begin * length, y + begin * length, end - begin, length}, scale, bias, epsilon);
                 });
  });
}

/// y = x * factor[c] + offset[c], statistics folded when bound.
std::unique_ptr<Step> bind_batch_normalization(const BindContext& context) {
  const Node& node = context.node();
  if (context.dtype(0) != DType::F32 || node.get_int("training_mode") != 0 || node.outputs.size() != 1) return nullptr;
  for (std::size_t i = 1; i < 5; ++i) {
    if (context.constant(i) == nullptr || context.dtype(i) != DType::F32) return nullptr;
  }
  const Shape shape = context.shape(0);
  if (shape.size() < 2) return nullptr;
  const std::int64_t channels = context.channels_last() ? shape.back() : shape[1];
  const std::int64_t inner = context.channels_last() ? 1 : num_elements(shape) / shape[0] / channels;
  std::vector<float> factor, offset;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double deviation =
        std::sqrt(static_cast<double>(context.in<float>(4)[c]) + static_cast<double>(node.get_float("epsilon")));
    const double scale = static_cast<double>(context.in<float>(1)[c]) / deviation;
    factor.push_back(static_cast<float>(scale));
    offset.push_back(static_cast<float>(static_cast<double>(context.in<float>(2)[c]) -
                                        static_cast<double>(context.in<float>(3)[c]) * scale));
  }
  const float* x = context.in<float>(0);
  float* y = context.out<float>();
  const std::int64_t rows = num_elements(shape) / inner / channels;
  const int threads = context.threads();
  return make_step("batch_norm", [=] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / (inner * channels)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t r = begin; r < end; ++r) {
                     const float* from = x + r * channels * inner;
                     float* to = y + r * channels * inner;
                     for (std::int64_t c = 0; c < channels; ++c) {
                       const float scale = factor[static_cast<std::size_t>(c)],
                                   shift = offset[static_cast<std::size_t>(c)];
                       for (std::int64_t i = 0; i < inner; ++i) to[c * inner + i] = from[c * inner + i] * scale + shift;
                     }
                   }
                 });
  });
}

}  // namespace

std::span<const BinderEntry> normalization_binders() {
  static const BinderEntry entries[] = {
      {OpKind::Softmax, bind_softmax},
      {OpKind::LogSoftmax, bind_softmax},
      {OpKind::LayerNormalization, bind_layer_normalization},
      {OpKind::BatchNormalization, bind_batch_normalization},
  };
  return entries;
}

}  // namespace adze::engine
