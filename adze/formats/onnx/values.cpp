#include "adze/base/text.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/tensors.h"

namespace adze::onnx {

namespace {

constexpr int max_value_depth = 16;

ValueData decode_value(Bytes bytes, const TensorSource& source, ValueType::Kind kind, int depth);

/// SequenceProto and OptionalProto number the kinds of what they hold alike.
ValueData decode_member(const Field& field, const TensorSource& source, int depth) {
  switch (field.number()) {
    case 3:
      return decode_value(field.bytes(), source, ValueType::Kind::Tensor, depth);
    case 4:
      return {decode_sparse_tensor(field.bytes(), source).tensor};
    case 5:
      return decode_value(field.bytes(), source, ValueType::Kind::Sequence, depth);
    case 7:
      return decode_value(field.bytes(), source, ValueType::Kind::Optional, depth);
    default:
      throw UnsupportedError("values that hold maps are not supported");
  }
}

ValueData decode_value(Bytes bytes, const TensorSource& source, ValueType::Kind kind, int depth) {
  if (depth > max_value_depth) throw LimitError(cat("values are nested more than ", max_value_depth, " deep"));
  if (kind == ValueType::Kind::Tensor) return {decode_tensor(bytes, source).tensor};
  std::vector<ValueData> members;
  // OptionalProto has its optional in field 7 too, but its map in field 6: both number from 3 on.
  for (WireCursor cursor(bytes, kind == ValueType::Kind::Sequence ? "SequenceProto" : "OptionalProto");
       cursor.next();) {
    if (cursor.field().number() < 3 || cursor.field().number() > 7) continue;
    members.push_back(decode_member(cursor.field(), source, depth + 1));
  }
  if (kind == ValueType::Kind::Sequence) return {std::move(members)};
  if (members.empty()) return {};
  return std::move(members.front());
}

}  // namespace

Tensor read_tensor(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  return decode_tensor(bytes, {std::move(owner)}).tensor;
}

ValueData read_value(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const ValueType& type) {
  return decode_value(bytes, {std::move(owner)}, type.kind, 0);
}

}  // namespace adze::onnx
