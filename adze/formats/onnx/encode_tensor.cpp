#include <algorithm>
#include <cstring>

#include "adze/base/text.h"
#include "adze/formats/onnx/encode.h"
#include "adze/formats/onnx/sparse_form.h"

namespace adze::onnx {

namespace {

constexpr std::int64_t external_alignment = 64;

WireMessage property(std::string_view key, std::string_view value) {
  WireMessage entry;
  entry.add_text(1, key);
  entry.add_text(2, value);
  return entry;
}

void encode_external(WireMessage& message, const Tensor& tensor, ExternalPlan& external) {
  const std::int64_t offset = (external.bytes + external_alignment - 1) / external_alignment * external_alignment;
  message.add_message(13, property("location", external.file_name));
  message.add_message(13, property("offset", cat(offset)));
  message.add_message(13, property("length", cat(tensor.num_bytes())));
  message.add_integer(14, 1);
  external.tensors.emplace_back(offset, tensor);
  external.bytes = offset + tensor.num_bytes();
}

WireMessage encode_shape(const SymbolicShape& shape) {
  WireMessage message;
  for (const Dim& dim : shape) {
    WireMessage encoded;
    if (dim.is_known()) {
      encoded.add_integer(1, dim.value);
    } else if (!dim.symbol.empty()) {
      encoded.add_text(2, dim.symbol);
    }
    message.add_message(1, std::move(encoded));
  }
  return message;
}

}  // namespace

WireMessage encode_tensor(const Tensor& tensor, std::string_view name, ExternalPlan* external) {
  WireMessage message;
  if (tensor.rank() > 0) message.add_packed(1, tensor.shape());
  message.add_integer(2, static_cast<std::int64_t>(tensor.dtype()));
  if (!name.empty()) message.add_text(8, name);
  if (tensor.dtype() == DType::String) {
    for (const std::string& text : tensor.data<std::string>()) message.add_text(6, text);
  } else if (external != nullptr && tensor.num_bytes() >= external->threshold && tensor.num_bytes() > 0) {
    encode_external(message, tensor, *external);
  } else {
    message.add_tensor_bytes(9, tensor);
  }
  return message;
}

namespace {

constexpr std::int64_t place_bytes = 8;

bool can_be_sparse(DType dtype) {
  return dtype != DType::String && dtype_bits(dtype) >= 8;
}

/// Of the elements with any bit set.
std::vector<std::int64_t> places_of_values(const Tensor& tensor) {
  const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype()) / 8);
  const auto bytes = tensor.bytes();
  std::vector<std::int64_t> places;
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const auto element = bytes.subspan(static_cast<std::size_t>(i) * width, width);
    if (!std::all_of(element.begin(), element.end(), is_zero)) places.push_back(i);
  }
  return places;
}

SparseForm form_of(const Tensor& tensor, std::int64_t values) {
  constexpr std::int64_t overhead = 64;
  const std::int64_t width = dtype_bits(tensor.dtype()) / 8;
  return {tensor.size(), tensor.size() - values, tensor.num_bytes(), values * (width + place_bytes) + overhead, true};
}

}  // namespace

SparseForm sparse_form(const Tensor& tensor) {
  if (!can_be_sparse(tensor.dtype()) || tensor.rank() == 0) return {};
  return form_of(tensor, static_cast<std::int64_t>(places_of_values(tensor).size()));
}

std::optional<double> sparse_from_share(DType dtype) {
  if (!can_be_sparse(dtype)) return std::nullopt;
  const double width = dtype_bits(dtype) / 8.0;
  return place_bytes / (width + place_bytes);
}

std::optional<WireMessage> encode_sparse_tensor(const Tensor& tensor, std::string_view name) {
  if (!can_be_sparse(tensor.dtype()) || tensor.rank() == 0) return std::nullopt;
  const std::vector<std::int64_t> places = places_of_values(tensor);
  const auto count = static_cast<std::int64_t>(places.size());
  if (!form_of(tensor, count).smaller()) return std::nullopt;
  const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype()) / 8);
  const auto bytes = tensor.bytes();
  Tensor values(tensor.dtype(), {count});
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::memcpy(&values.mutable_bytes()[i * width], &bytes[static_cast<std::size_t>(places[i]) * width], width);
  }
  WireMessage message;
  message.add_message(1, encode_tensor(values, name));
  message.add_message(2, encode_tensor(Tensor::ints(places), cat(name, "_places")));
  message.add_packed(3, tensor.shape());
  return message;
}

WireMessage encode_type(const ValueType& type) {
  WireMessage message;
  WireMessage content;
  if (type.is_tensor()) {
    content.add_integer(1, static_cast<std::int64_t>(type.dtype));
    if (type.shape) content.add_message(2, encode_shape(*type.shape));
    message.add_message(1, std::move(content));
  } else {
    content.add_message(1, type.element ? encode_type(*type.element) : WireMessage{});
    message.add_message(type.kind == ValueType::Kind::Sequence ? 4 : 9, std::move(content));
  }
  return message;
}

}  // namespace adze::onnx
