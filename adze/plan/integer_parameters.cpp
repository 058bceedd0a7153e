#include "adze/plan/integer_parameters.h"

#include <cmath>

#include "adze/base/text.h"

namespace adze {

namespace {

std::int32_t checked_int(const Node& node, std::string_view attribute, std::int64_t most) {
  const std::int64_t value = node.get_int(attribute);
  if (value < -most || value > most) throw ModelError(cat("attribute ", attribute, " = ", value, " is out of range"));
  return static_cast<std::int32_t>(value);
}

float checked_scale(float scale, std::string_view attribute) {
  if (!(scale > 0.0f) || !std::isfinite(scale)) {
    throw ModelError(cat("attribute ", attribute, " = ", scale, ", expected a positive number"));
  }
  return scale;
}

/// Zero points of 16-bit tensors at most, so that differences and products of 8-bit operands stay within 32 bits.
Affine affine(const Node& node, std::string_view prefix) {
  const std::string scale = cat(prefix, "_scale");
  const std::string zero_point = cat(prefix, "_zero_point");
  Affine result;
  result.scale = checked_scale(node.get_float(scale), scale);
  result.zero_point = checked_int(node, zero_point, std::int64_t{1} << 16);
  return result;
}

Affine operand_affine(const Node& node, std::string_view prefix) {
  const Affine result = affine(node, prefix);
  if (result.zero_point < -128 || result.zero_point > 255) {
    throw ModelError(cat("attribute ", prefix, "_zero_point = ", result.zero_point, " does not fit 8 bits"));
  }
  return result;
}

}  // namespace

RoundingProfile rounding_of(const Node& node) {
  const std::string name = node.get_string("rounding");
  const auto profile = rounding_from_name(name);
  if (!profile) throw ModelError(cat("attribute rounding = ", quoted(name), ", expected tflm, litert or onnx"));
  return *profile;
}

Affine input_affine(const Node& node) {
  return affine(node, "x");
}

Affine left_affine(const Node& node) {
  return operand_affine(node, "a");
}
Affine right_affine(const Node& node) {
  return operand_affine(node, "b");
}

Affine output_affine(const Node& node) {
  Affine result = affine(node, "y");
  const DType dtype = output_dtype(node);
  result.min = checked_int(node, "y_min", 1 << 16);
  result.max = checked_int(node, "y_max", 1 << 16);
  if (result.min > result.max || result.min < integer_min(dtype) || result.max > integer_max(dtype)) {
    throw ModelError(cat("the clamp [", result.min, ", ", result.max, "] does not fit ", dtype_name(dtype)));
  }
  return result;
}

DType output_dtype(const Node& node) {
  for (const DType dtype : {DType::S8, DType::U8, DType::S16, DType::U16}) {
    if (node.get_int("y_dtype") == static_cast<std::int64_t>(dtype)) return dtype;
  }
  throw ModelError(cat("attribute y_dtype = ", node.get_int("y_dtype"), ", expected an 8- or 16-bit integer type"));
}

bool sums_are_wide(const Node& node, DType x, DType bias) {
  return x == DType::S16 && (node.kind == OpKind::QMatMul || bias != DType::S32);
}

std::vector<RequantizeParameters> requantize_parameters(const Node& node, std::int64_t channels) {
  const RoundingProfile profile = rounding_of(node);
  const float y_scale = output_affine(node).scale;
  const auto count = static_cast<std::size_t>(channels);
  if (node.kind == OpKind::QRequantize) {
    return {count,
            make_requantize(profile, static_cast<double>(input_affine(node).scale) / static_cast<double>(y_scale))};
  }
  if (node.kind == OpKind::QMatMul) {
    return {count, make_gemm_requantize(profile, left_affine(node).scale, right_affine(node).scale, y_scale)};
  }
  const float x_scale = input_affine(node).scale;
  const std::vector<float> w_scales = node.get_floats("w_scales");
  if (w_scales.size() != 1 && w_scales.size() != count) {
    throw ModelError(cat(w_scales.size(), " weight scales for ", channels, " output channels"));
  }
  std::vector<RequantizeParameters> result;
  for (const float w_scale : w_scales) {
    checked_scale(w_scale, "w_scales");
    const bool float_product = node.kind == OpKind::QGemm && w_scales.size() == 1;
    result.push_back(float_product ? make_gemm_requantize(profile, x_scale, w_scale, y_scale)
                                   : make_product_requantize(profile, x_scale, w_scale, y_scale));
  }
  if (result.size() < count) result.resize(count, RequantizeParameters(result.front()));
  return result;
}

QuantizedAdd quantized_add(const Node& node) {
  const int fraction_bits = dtype_bits(output_dtype(node)) == 16 ? 15 : 20;
  return {rounding_of(node),   left_affine(node),         right_affine(node),
          output_affine(node), node.kind == OpKind::QSub, fraction_bits};
}

QuantizedMul quantized_mul(const Node& node) {
  return {rounding_of(node), left_affine(node), right_affine(node), output_affine(node)};
}

QuantizedMean quantized_mean(const Node& node) {
  return {rounding_of(node), input_affine(node), output_affine(node), node.kind == OpKind::QAveragePool};
}

QuantizedSoftmax quantized_softmax(const Node& node) {
  return {rounding_of(node), input_affine(node), output_affine(node)};
}

QuantizedSoftmaxS16 quantized_softmax_s16(const Node& node) {
  return {rounding_of(node), input_affine(node), output_affine(node)};
}

}  // namespace adze
