#include "adze/formats/onnx/encode.h"
#include "adze/formats/onnx/messages.h"

namespace adze::onnx {

WireMessage encode_attribute(std::string_view name, const Attribute& attribute) {
  WireMessage message;
  message.add_text(1, name);
  AttributeKind kind = AttributeKind::Undefined;
  if (const auto* number = std::get_if<std::int64_t>(&attribute)) {
    message.add_integer(3, *number);
    kind = AttributeKind::Int;
  } else if (const auto* real = std::get_if<float>(&attribute)) {
    message.add_float(2, *real);
    kind = AttributeKind::Float;
  } else if (const auto* text = std::get_if<std::string>(&attribute)) {
    message.add_text(4, *text);
    kind = AttributeKind::String;
  } else if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&attribute)) {
    // Not packed: the field is older than packing, and protobuf writes it so.
    for (const std::int64_t value : *numbers) message.add_integer(8, value);
    kind = AttributeKind::Ints;
  } else if (const auto* reals = std::get_if<std::vector<float>>(&attribute)) {
    for (const float value : *reals) message.add_float(7, value);
    kind = AttributeKind::Floats;
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute)) {
    for (const std::string& value : *texts) message.add_text(9, value);
    kind = AttributeKind::Strings;
  } else if (const auto* tensor = std::get_if<Tensor>(&attribute)) {
    message.add_message(5, encode_tensor(*tensor, ""));
    kind = AttributeKind::Tensor;
  } else if (const auto* type = std::get_if<ValueType>(&attribute)) {
    message.add_message(14, encode_type(*type));
    kind = AttributeKind::Type;
  }
  message.add_integer(20, static_cast<std::int64_t>(kind));
  return message;
}

}  // namespace adze::onnx
