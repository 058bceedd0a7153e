#include <cmath>

#include "adze/engine/step.h"

namespace adze::engine {

namespace {

constexpr std::int64_t element_grain = 1 << 13;

/// Softmax of rows along memory. x and y may be the same.
void softmax_row(const float* x, float* y, std::int64_t length, bool logarithm) {
  float largest = x[0];
  for (std::int64_t i = 1; i < length; ++i) largest = x[i] > largest ? x[i] : largest;
  double sum = 0.0;
  if (logarithm) {
    for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(std::exp(x[i] - largest));
    const float shift = largest + static_cast<float>(std::log(sum));
    for (std::int64_t i = 0; i < length; ++i) y[i] = x[i] - shift;
    return;
  }
  for (std::int64_t i = 0; i < length; ++i) {
    y[i] = std::exp(x[i] - largest);
    sum += static_cast<double>(y[i]);
  }
  const auto scale = static_cast<float>(1.0 / sum);
  for (std::int64_t i = 0; i < length; ++i) y[i] *= scale;
}

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
  return make_step("softmax", [=] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / length),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t r = begin; r < end; ++r)
                     softmax_row(x + r * length, y + r * length, length, logarithm);
                 });
  });
}

/// Mean and variance of one row in double, as the reference needs no better.
void normalize_row(const float* x, const float* scale, const float* bias, float* y, std::int64_t length,
                   float epsilon) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(length);
  double squares = 0.0;
  for (std::int64_t i = 0; i < length; ++i)
    squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
  const auto factor =
      static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(length) + static_cast<double>(epsilon)));
  const auto center = static_cast<float>(mean);
  for (std::int64_t i = 0; i < length; ++i) {
    const float normal = (x[i] - center) * factor * scale[i];
    y[i] = bias != nullptr ? normal + bias[i] : normal;
  }
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
  return make_step("layer_norm", [=] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / length),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t r = begin; r < end; ++r) {
                     normalize_row(x + r * length, scale, bias, y + r * length, length, epsilon);
                   }
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
