#include "adze/formats/onnx/packed_codes.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

constexpr std::int64_t least_codes = 256;

struct Form {
  std::int64_t low, high, factor, offset;
  int bits;
};
constexpr Form forms[] = {{-1, 1, 2, -1, 1}, {-2, 1, 1, -2, 2}};

bool fits(const Tensor& codes, const Form& form) {
  for (std::int64_t i = 0; i < codes.size(); ++i) {
    const std::int64_t code = codes.get_int(i);
    if (code < form.low || code > form.high || (code - form.offset) % form.factor != 0) return false;
  }
  return true;
}

PackedCodes packed(const Tensor& codes, const Form& form) {
  const int each = 8 / form.bits;
  PackedCodes result{
      Tensor(DType::U8, {(codes.size() + each - 1) / each}), {}, (1 << form.bits) - 1, form.factor, form.offset};
  for (int i = 0; i < each; ++i) result.shifts.push_back(i * form.bits);
  const auto bytes = result.bytes.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < codes.size(); ++i) {
    const auto field = static_cast<unsigned>((codes.get_int(i) - form.offset) / form.factor);
    auto& byte = bytes[static_cast<std::size_t>(i / each)];
    byte = static_cast<std::uint8_t>(byte | field << (i % each * form.bits));
  }
  return result;
}

const AttributeMessage& attribute_of(const std::map<std::string_view, AttributeMessage>& attributes,
                                     std::string_view name, AttributeKind kind) {
  const auto found = attributes.find(name);
  if (found == attributes.end() || found->second.kind != kind) {
    throw ModelError(cat("packed codes without attribute ", quoted(name)));
  }
  return found->second;
}

}  // namespace

std::optional<PackedCodes> pack_codes(const Tensor& codes) {
  if ((codes.dtype() != DType::S8 && codes.dtype() != DType::S4) || codes.size() < least_codes) return std::nullopt;
  const auto* form =
      std::find_if(std::begin(forms), std::end(forms), [&](const Form& one) { return fits(codes, one); });
  if (form == std::end(forms)) return std::nullopt;
  return packed(codes, *form);
}

std::vector<bool> packable_constants(const Graph& graph) {
  std::vector<bool> packable(static_cast<std::size_t>(graph.num_values()), true);
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const ValueId codes = node.input(0);
    const bool restores = node.kind == OpKind::DequantizeLinear && graph.constant(codes) != nullptr &&
                          (node.input(2) == ValueId::None || graph.constant(codes)->dtype() == DType::S8);
    for (const ValueId read : values_read(node)) {
      if (!restores || read != codes) packable[static_cast<std::size_t>(read)] = false;
    }
  }
  for (const ValueId id : graph.outputs()) packable[static_cast<std::size_t>(id)] = false;
  return packable;
}

Tensor unpack_codes(const Tensor& bytes, const std::map<std::string_view, AttributeMessage>& attributes) {
  const auto& shifts = attribute_of(attributes, "shifts", AttributeKind::Ints).integers;
  const auto& shape = attribute_of(attributes, "shape", AttributeKind::Ints).integers;
  const std::int64_t mask = attribute_of(attributes, "mask", AttributeKind::Int).integer;
  const std::int64_t factor = attribute_of(attributes, "factor", AttributeKind::Int).integer;
  const std::int64_t offset = attribute_of(attributes, "offset", AttributeKind::Int).integer;
  const auto each = static_cast<std::int64_t>(shifts.size());
  const bool good = bytes.dtype() == DType::U8 && bytes.rank() == 1 && each >= 1 && each <= 8 &&
                    std::all_of(shifts.begin(), shifts.end(), [](std::int64_t by) { return by >= 0 && by < 8; }) &&
                    std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size > 0; }) && mask >= 0 &&
                    mask <= 255 && std::abs(factor) <= 256 && std::abs(offset) <= 256;
  if (!good || num_elements(shape) > bytes.size() * each) {
    throw ModelError(cat("packed codes of shape ", shape_text(shape), " do not fit ", type_text(bytes)));
  }
  Tensor codes(DType::S8, shape);
  const auto from = bytes.data<std::uint8_t>();
  const auto to = codes.mutable_data<std::int8_t>();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto field = from[i / shifts.size()] >> shifts[i % shifts.size()] & mask;
    to[i] = static_cast<std::int8_t>(field * factor + offset);
  }
  return codes;
}

}  // namespace adze::onnx
