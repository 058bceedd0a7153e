// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear; the QLinear operators are in quantization_linear.cpp.
#include "adze/engine/reference/quantization.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/engine/reference/values.h"
#include "adze/numerics/quantized_arithmetic.h"

namespace adze::reference {

namespace quantization {

namespace {

/// Which scale belongs to each element: one for all, one per index of axis, or one per block along it.
class ScaleIndex {
 public:
  ScaleIndex(const Context& context, const Shape& shape, const Tensor& scale)
      : single_(scale.size() == 1), block_(context.node().get_int("block_size")) {
    if (single_) return;
    const auto axis = static_cast<std::size_t>(normalize_axis(context.node().get_int("axis"), std::ssize(shape)));
    length_ = shape[axis];
    inner_ = num_elements(part(shape, axis + 1));
    blocks_ = block_ > 0 ? (length_ + block_ - 1) / block_ : length_;
    const std::int64_t outer = block_ > 0 ? num_elements(part(shape, 0, axis)) : 1;
    const std::int64_t expected = block_ > 0 ? outer * blocks_ * inner_ : length_;
    if (scale.size() != expected)
      throw ModelError(cat("the scale is ", type_text(scale), " for data of shape ", shape_text(shape)));
  }

  std::int64_t operator()(std::int64_t i) const {
    if (single_) return 0;
    const std::int64_t along = i / inner_ % length_;
    if (block_ == 0) return along;
    return (i / (inner_ * length_) * blocks_ + along / block_) * inner_ + i % inner_;
  }

 private:
  bool single_;
  std::int64_t block_, length_ = 1, inner_ = 1, blocks_ = 1;
};

/// The float as the narrow format stores it, by its bits.
template <typename T>
T saturated(const FloatFormat& format, float value) {
  return T::from_bits(static_cast<decltype(T{}.bits)>(encode_float(format, value, Overflow::Saturate)));
}

Tensor quantize_to_float(DType dtype, const Shape& shape, const std::vector<float>& scaled, bool saturate) {
  Tensor result(dtype, shape);
  const auto store = [&]<typename T>(TypeTag<T>, const FloatFormat& format) {
    const auto data = result.mutable_data<T>();
    for (std::size_t i = 0; i < scaled.size(); ++i) data[i] = saturate ? saturated<T>(format, scaled[i]) : T(scaled[i]);
  };
  switch (dtype) {
    case DType::F8E4M3:
      store(TypeTag<Float8E4M3>{}, f8e4m3_format);
      break;
    case DType::F8E4M3Fnuz:
      store(TypeTag<Float8E4M3Fnuz>{}, f8e4m3fnuz_format);
      break;
    case DType::F8E5M2:
      store(TypeTag<Float8E5M2>{}, f8e5m2_format);
      break;
    case DType::F8E5M2Fnuz:
      store(TypeTag<Float8E5M2Fnuz>{}, f8e5m2fnuz_format);
      break;
    default:
      throw ModelError(cat("cannot quantize to ", dtype_name(dtype)));
  }
  return result;
}

}  // namespace

std::int64_t round_into(float scaled, std::int64_t zero_point, DType dtype) {
  const double low = static_cast<double>(integer_min(dtype)), high = static_cast<double>(integer_max(dtype));
  const double shifted = static_cast<double>(std::nearbyintf(scaled)) + static_cast<double>(zero_point);
  if (std::isnan(shifted)) return std::clamp<std::int64_t>(zero_point, integer_min(dtype), integer_max(dtype));
  return static_cast<std::int64_t>(std::clamp(shifted, low, high));
}

void quantize_linear(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& scale = context.input(1);
  const Tensor* zero_point = context.optional_input(2);
  const DType dtype = checked_types(context)[0].dtype;
  if (zero_point != nullptr && zero_point->size() != scale.size())
    throw ModelError("scale and zero point differ in size");
  const ScaleIndex index(context, x.shape(), scale);
  std::vector<float> scaled = to_floats(x);
  const std::vector<float> scales = to_floats(scale);
  for (std::int64_t i = 0; i < x.size(); ++i)
    scaled[static_cast<std::size_t>(i)] /= scales[static_cast<std::size_t>(index(i))];
  if (is_float(dtype)) {
    context.set(0, quantize_to_float(dtype, x.shape(), scaled, context.node().get_int("saturate") != 0));
    return;
  }
  if (!is_integer(dtype) || dtype_bits(dtype) > 16) throw ModelError(cat("cannot quantize to ", dtype_name(dtype)));
  std::vector<std::int64_t> values(scaled.size());
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t zero = zero_point != nullptr ? zero_point->get_int(index(i)) : 0;
    values[static_cast<std::size_t>(i)] = round_into(scaled[static_cast<std::size_t>(i)], zero, dtype);
  }
  Tensor result(dtype, x.shape());
  for (std::int64_t i = 0; i < x.size(); ++i) result.set_int(i, values[static_cast<std::size_t>(i)]);
  context.set(0, std::move(result));
}

void dequantize_linear(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& scale = context.input(1);
  const Tensor* zero_point = context.optional_input(2);
  checked_types(context);
  if (!is_float(scale.dtype())) throw ModelError(cat("the scale is ", type_text(scale), ", expected floats"));
  if (zero_point != nullptr && zero_point->size() != scale.size())
    throw ModelError("scale and zero point differ in size");
  const ScaleIndex index(context, x.shape(), scale);
  const std::vector<float> scales = to_floats(scale);
  std::vector<double> values(static_cast<std::size_t>(x.size()));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t at = index(i);
    const float own = scales[static_cast<std::size_t>(at)];
    if (is_float(x.dtype())) {
      values[static_cast<std::size_t>(i)] = static_cast<double>(static_cast<float>(x.get_double(i)) * own);
      continue;
    }
    const std::int64_t difference = x.get_int(i) - (zero_point != nullptr ? zero_point->get_int(at) : 0);
    values[static_cast<std::size_t>(i)] = static_cast<double>(static_cast<float>(difference) * own);
  }
  context.set(0, from_doubles(scale.dtype(), x.shape(), values));
}

void dynamic_quantize_linear(Context& context) {
  const Tensor& x = context.input(0);
  const std::vector<float> values = to_floats(x);
  float low = 0.0f, high = 0.0f;  // the range always holds zero
  for (const float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const auto [scale, zero_point] = dynamic_u8(low, high);
  Tensor y(DType::U8, x.shape());
  for (std::int64_t i = 0; i < x.size(); ++i)
    y.set_int(i, round_into(values[static_cast<std::size_t>(i)] / scale, zero_point, DType::U8));
  context.set(0, std::move(y));
  context.set(1, Tensor::scalar(scale));
  context.set(2, Tensor::scalar(zero_point));
}

}  // namespace quantization

std::span<const KernelEntry> quantization_kernels() {
  static constexpr KernelEntry entries[] = {
      {OpKind::DequantizeLinear, quantization::dequantize_linear},
      {OpKind::DynamicQuantizeLinear, quantization::dynamic_quantize_linear},
      {OpKind::QLinearConv, quantization::qlinear_conv},
      {OpKind::QLinearMatMul, quantization::qlinear_matmul},
      {OpKind::QuantizeLinear, quantization::quantize_linear},
  };
  return entries;
}

}  // namespace adze::reference
