#include <initializer_list>

#include "adze/base/text.h"
#include "adze/formats/onnx/encode.h"
#include "adze/formats/onnx/packed_codes.h"

namespace adze::onnx {

namespace {

/// A NodeProto in a function's body.
class BodyNode {
 public:
  BodyNode(std::string_view op, std::initializer_list<std::string_view> inputs, std::string_view output) {
    for (const std::string_view input : inputs) message_.add_text(1, input);
    message_.add_text(2, output);
    message_.add_text(3, output);
    message_.add_text(4, op);
  }

  BodyNode& with(std::string_view name, const Attribute& attribute) {
    message_.add_message(5, encode_attribute(name, attribute));
    return *this;
  }
  /// The attribute that the function was called with.
  BodyNode& with_given(std::string_view name, std::string_view of_function, AttributeKind kind) {
    WireMessage attribute;
    attribute.add_text(1, name);
    attribute.add_integer(20, static_cast<std::int64_t>(kind));
    attribute.add_text(21, of_function);
    message_.add_message(5, std::move(attribute));
    return *this;
  }
  BodyNode& in(std::string_view domain) {
    message_.add_text(7, domain);
    return *this;
  }
  WireMessage take() { return std::move(message_); }

 private:
  WireMessage message_;
};

}  // namespace

WireMessage encode_unpacking(const PackedCodes& packed, const Shape& shape, std::string_view bytes,
                             std::string_view value) {
  return BodyNode(packed_codes_function, {bytes}, value)
      .in(packed_codes_domain)
      .with("shifts", packed.shifts)
      .with("mask", packed.mask)
      .with("factor", packed.factor)
      .with("offset", packed.offset)
      .with("shape", shape)
      .take();
}

WireMessage encode_unpack_function(int opset) {
  constexpr auto u8 = static_cast<std::int64_t>(DType::U8), s8 = static_cast<std::int64_t>(DType::S8),
                 s32 = static_cast<std::int64_t>(DType::S32);
  WireMessage function;
  function.add_text(1, packed_codes_function);
  function.add_text(4, "bytes");
  function.add_text(5, "codes");
  for (const char* attribute : {"shifts", "mask", "factor", "offset", "shape"}) function.add_text(6, attribute);
  const auto add = [&](BodyNode node) { function.add_message(7, node.take()); };
  const auto given = [&](const char* name, const char* as, AttributeKind kind) {
    add(BodyNode("Constant", {}, as).with_given(kind == AttributeKind::Int ? "value_int" : "value_ints", name, kind));
  };
  const auto cast = [&](const char* from, const char* to, std::int64_t dtype) {
    add(BodyNode("Cast", {from}, to).with("to", dtype));
  };
  given("shifts", "shifts_64", AttributeKind::Ints);
  given("mask", "mask_64", AttributeKind::Int);
  given("factor", "factor_64", AttributeKind::Int);
  given("offset", "offset_64", AttributeKind::Int);
  given("shape", "shape", AttributeKind::Ints);
  add(BodyNode("Constant", {}, "last").with("value_ints", std::vector<std::int64_t>{-1}));
  add(BodyNode("Constant", {}, "first").with("value_ints", std::vector<std::int64_t>{0}));
  cast("shifts_64", "shifts", u8);
  cast("mask_64", "mask", u8);
  cast("factor_64", "factor", s32);
  cast("offset_64", "offset", s32);
  add(BodyNode("Unsqueeze", {"bytes", "last"}, "columns"));
  add(BodyNode("BitShift", {"columns", "shifts"}, "shifted").with("direction", std::string("RIGHT")));
  add(BodyNode("BitwiseAnd", {"shifted", "mask"}, "fields"));
  cast("fields", "wide", s32);
  add(BodyNode("Mul", {"wide", "factor"}, "scaled"));
  add(BodyNode("Add", {"scaled", "offset"}, "moved"));
  add(BodyNode("Reshape", {"moved", "last"}, "flat"));
  add(BodyNode("ReduceProd", {"shape"}, "count").with("keepdims", std::int64_t{1}));
  add(BodyNode("Slice", {"flat", "first", "count"}, "cut"));
  add(BodyNode("Reshape", {"cut", "shape"}, "shaped"));
  cast("shaped", "codes", s8);
  function.add_text(8, "Codes stored several to a byte: ((byte >> shift) & mask) * factor + offset");
  WireMessage standard;
  standard.add_text(1, "");
  standard.add_integer(2, opset);
  function.add_message(9, std::move(standard));
  function.add_text(10, packed_codes_domain);
  return function;
}

}  // namespace adze::onnx
