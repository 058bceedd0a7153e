#include "adze/plan/coded_weights.h"

#include "adze/base/text.h"

namespace adze {

namespace {

/// Packed two a byte, the first in the low half.
std::vector<std::int16_t> halves(const Tensor& tensor) {
  const auto bytes = tensor.bytes();
  const bool is_signed = tensor.dtype() == DType::S4;
  std::vector<std::int16_t> result(static_cast<std::size_t>(tensor.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const int half = std::to_integer<int>(bytes[i / 2]) >> (i % 2 * 4) & 15;
    result[i] = static_cast<std::int16_t>(is_signed && half > 7 ? half - 16 : half);
  }
  return result;
}

template <typename T>
std::vector<std::int16_t> bytes_of(const Tensor& tensor) {
  const auto data = tensor.elements<T>();
  std::vector<std::int16_t> result(static_cast<std::size_t>(tensor.size()));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = data[static_cast<std::int64_t>(i)];
  return result;
}

template <typename T>
std::vector<std::int16_t> bits_of(const Tensor& tensor) {
  const Elements<T> data(tensor.bytes().data());
  std::vector<std::int16_t> result(static_cast<std::size_t>(tensor.size()));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = data[static_cast<std::int64_t>(i)];
  return result;
}

std::vector<float> floats_of_8_bits(DType dtype) {
  const FloatFormat format = dtype == DType::F8E4M3       ? f8e4m3_format
                             : dtype == DType::F8E5M2     ? f8e5m2_format
                             : dtype == DType::F8E4M3Fnuz ? f8e4m3fnuz_format
                                                          : f8e5m2fnuz_format;
  std::vector<float> result;
  for (std::uint32_t code = 0; code < 256; ++code) result.push_back(decode_float(format, code));
  return result;
}

}  // namespace

std::vector<std::int16_t> widened_codes(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::S4:
    case DType::U4:
      return halves(tensor);
    case DType::S8:
      return bytes_of<std::int8_t>(tensor);
    case DType::U8:
      return bytes_of<std::uint8_t>(tensor);
    case DType::F16:
    case DType::BF16:
      return bits_of<std::int16_t>(tensor);
    case DType::F8E4M3:
    case DType::F8E5M2:
    case DType::F8E4M3Fnuz:
    case DType::F8E5M2Fnuz:
      return bits_of<std::uint8_t>(tensor);
    default:
      throw ModelError(cat("codes are ", dtype_name(tensor.dtype()), ", expected at most 16 bits"));
  }
}

CodedWeights coded_weights(const Node& node, const Tensor& codes, const Tensor* scales, const Tensor* zero_points,
                           const Tensor* table) {
  const auto fail = [&](const std::string& what) { throw ModelError(what, {"", node.name, "QGemm"}); };
  if (codes.rank() != 2) fail("codes are not a matrix");
  CodedWeights result;
  result.turned = node.get_int("turned") != 0;
  result.depth = codes.dim(result.turned ? 1 : 0);
  result.columns = codes.dim(result.turned ? 0 : 1);
  result.block = node.get_int("block");
  const Shape expected =
      result.turned ? Shape{result.columns, result.blocks()} : Shape{result.blocks(), result.columns};
  result.dtype = codes.dtype();
  result.codes = widened_codes(codes);
  if (scales != nullptr) {
    if (scales->dtype() != DType::F32 || scales->shape() != expected) {
      fail(cat("scales are ", dtype_name(scales->dtype()), shape_text(scales->shape()), ", expected f32",
               shape_text(expected)));
    }
    const auto stored = scales->elements<float>();
    for (std::int64_t i = 0; i < scales->size(); ++i) result.scales.push_back(stored[i]);
  }
  if (zero_points != nullptr) {
    if (zero_points->shape() != expected) fail("zero points and scales differ in shape");
    result.zero_points = widened_codes(*zero_points);
  }
  if (is_float(result.dtype) && !result.is_half()) result.table = floats_of_8_bits(result.dtype);
  if (table == nullptr) return result;
  for (std::int64_t i = 0; i < table->size(); ++i) result.table.push_back(static_cast<float>(table->get_double(i)));
  for (const std::int16_t code : result.codes) {
    if (code < 0 || code >= table->size()) fail(cat("code ", code, " beyond a table of ", table->size()));
  }
  return result;
}

}  // namespace adze
