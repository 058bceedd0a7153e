// The numbers of a network: random weights, and their quantized form.
#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/zoo/builder.h"

namespace adze::zoo {

namespace {

struct UnsignedRange {
  float scale;
  std::uint8_t zero_point;
};

/// Wide enough for activations of unit variance.
UnsignedRange unsigned_range(Range range) {
  switch (range) {
    case Range::Input:
      return {4.0f / 255, 128};
    case Range::Linear:
      return {12.0f / 255, 128};
    case Range::Relu:
      return {6.0f / 255, 0};
    case Range::HardSwish:
      return {6.375f / 255, 15};  // from -0.375
    case Range::Silu:
      return {6.278f / 255, 11};  // from -0.278
    case Range::Sigmoid:
      return {1.0f / 255, 0};
    case Range::Softmax:
      return {1.0f / 256, 0};
  }
  throw InternalError("zoo: a range without a scale");
}

}  // namespace

Tensor Builder::normal(const Shape& shape, double deviation) {
  constexpr std::int64_t block = 1 << 15;
  Tensor tensor(DType::F32, shape);
  if (options_.zeros || deviation == 0) {
    ++tensors_;
    return tensor;
  }
  const std::span<float> values = tensor.mutable_data<float>();
  const Random stream = random_.split(tensors_++);
  const auto size = static_cast<std::int64_t>(values.size());
  parallel_for((size + block - 1) / block, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      Random random = stream.split(static_cast<std::uint64_t>(b));
      for (std::int64_t i = b * block; i < std::min(size, (b + 1) * block); ++i) {
        values[static_cast<std::size_t>(i)] = static_cast<float>(deviation * random.normal());
      }
    }
  });
  return tensor;
}

ValueId Builder::normal_constant(std::string_view name, const Shape& shape, double deviation) {
  return constant(name, normal(shape, deviation));
}

ValueId Builder::filled_constant(std::string_view name, const Shape& shape, float value) {
  Tensor tensor(DType::F32, shape);
  for (float& element : tensor.mutable_data<float>()) element = value;
  return constant(name, std::move(tensor));
}

ValueId Builder::float_bias(std::int64_t count) {
  return normal_constant("bias", {count}, bias_deviation());
}

ValueId Builder::weight(const Shape& shape, std::int64_t axis, std::int64_t fan_in, double gain,
                        std::vector<float>* scales) {
  Tensor values = normal(shape, std::sqrt(gain / static_cast<double>(fan_in)));
  if (!quantized()) return constant("weight", std::move(values));
  return dequantize_weight(values, axis, scales);
}

ValueId Builder::dequantize_weight(const Tensor& weight, std::int64_t axis, std::vector<float>* scales) {
  const std::int64_t channels = weight.dim(axis);
  std::int64_t inner = 1;  // elements between neighbours along the axis
  for (std::int64_t a = axis + 1; a < weight.rank(); ++a) inner *= weight.dim(a);
  const std::span<const float> values = weight.data<float>();
  const auto channel_of = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % channels);
  };
  std::vector<float> steps(static_cast<std::size_t>(channels), 0.0f);
  for (std::size_t i = 0; i < values.size(); ++i) {
    steps[channel_of(i)] = std::max(steps[channel_of(i)], std::abs(values[i]));
  }
  for (float& step : steps) step = step / 127 + 1e-8f;
  Tensor codes(DType::S8, weight.shape());
  const std::span<std::int8_t> out = codes.mutable_data<std::int8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(values[i] / steps[channel_of(i)]), -127.0f, 127.0f));
  }
  const ValueId q = constant("weight", std::move(codes));
  const ValueId s = constant("weight_scale", Tensor::from({channels}, steps));
  const ValueId z = constant("weight_zero_point", Tensor(DType::S8, {channels}));
  if (scales != nullptr) *scales = std::move(steps);
  return node(OpKind::DequantizeLinear, {q, s, z}, {{"axis", axis}});
}

ValueId Builder::bias(std::int64_t count, Range input, const std::vector<float>& weight_scales) {
  Tensor values = normal({count}, bias_deviation());
  if (!quantized()) return constant("bias", std::move(values));
  Tensor codes(DType::S32, {count});
  Tensor scales(DType::F32, {count});
  for (std::int64_t i = 0; i < count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const float scale = weight_scales[k] * unsigned_range(input).scale;
    scales.mutable_data<float>()[k] = scale;
    codes.mutable_data<std::int32_t>()[k] = static_cast<std::int32_t>(std::nearbyint(values.data<float>()[k] / scale));
  }
  const ValueId q = constant("bias", std::move(codes));
  const ValueId s = constant("bias_scale", std::move(scales));
  const ValueId z = constant("bias_zero_point", Tensor(DType::S32, {count}));
  return node(OpKind::DequantizeLinear, {q, s, z}, {{"axis", std::int64_t{0}}});
}

ValueId Builder::quantize(ValueId value, Range range) {
  if (!quantized()) return value;
  auto [place, is_new] = ranges_.try_emplace(range);
  if (is_new) {
    const auto [scale, zero_point] = unsigned_range(range);
    place->second = {constant("scale", Tensor::scalar(scale)), constant("zero_point", Tensor::scalar(zero_point))};
  }
  const auto [scale, zero_point] = place->second;
  return node(OpKind::DequantizeLinear, {node(OpKind::QuantizeLinear, {value, scale, zero_point}), scale, zero_point});
}

}  // namespace adze::zoo
