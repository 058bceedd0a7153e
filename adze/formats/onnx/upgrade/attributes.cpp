#include <algorithm>

#include "adze/base/text.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// Before opset 13 (Squeeze, Unsqueeze, ReduceSum) or 18 (the other reductions): axes were an attribute. An empty list
/// meant the same as none.
void axes_to_input(Upgrade& upgrade) {
  const auto axes = upgrade.take_ints("axes");
  if (axes && !axes->empty()) upgrade.set_input(1, upgrade.constant("axes", *axes));
}

/// Clip before 11: min and max were attributes.
void clip_to_inputs(Upgrade& upgrade) {
  const auto least = upgrade.take_float("min");
  const auto most = upgrade.take_float("max");
  const ValueId input = upgrade.node.input(0);
  if (least) upgrade.set_input(1, upgrade.number_like("min", *least, input));
  if (most) upgrade.set_input(2, upgrade.number_like("max", *most, input));
}

/// Slice before 10: starts, ends and axes were attributes.
void slice_to_inputs(Upgrade& upgrade) {
  const auto starts = upgrade.take_ints("starts");
  const auto ends = upgrade.take_ints("ends");
  const auto axes = upgrade.take_ints("axes");
  if (!starts || !ends) throw ModelError("attributes starts and ends are required");
  if (starts->size() != ends->size() || (axes && axes->size() != starts->size())) {
    throw ModelError("attributes starts, ends and axes have different lengths");
  }
  upgrade.set_input(1, upgrade.constant("starts", *starts));
  upgrade.set_input(2, upgrade.constant("ends", *ends));
  if (axes) upgrade.set_input(3, upgrade.constant("axes", *axes));
}

/// Pad before 11: pads ("paddings" in opset 1) and value were attributes.
void pad_to_inputs(Upgrade& upgrade) {
  auto pads = upgrade.take_ints("pads");
  if (!pads) pads = upgrade.take_ints("paddings");
  if (!pads) throw ModelError("attribute pads is missing");
  const float value = upgrade.take_float("value").value_or(0);
  upgrade.set_input(1, upgrade.constant("pads", *pads));
  if (value != 0) upgrade.set_input(2, upgrade.number_like("value", value, upgrade.node.input(0)));
}

/// Split before 13: the sizes were an attribute (in opset 1 possibly an input).
void split_to_input(Upgrade& upgrade) {
  const auto sizes = upgrade.take_ints("split");
  if (sizes && upgrade.node.input(1) == ValueId::None) upgrade.set_input(1, upgrade.constant("split", *sizes));
}

/// Split before 18: without sizes, equal parts, as many as there are outputs. Now that number must be told.
void split_equally(Upgrade& upgrade) {
  if (upgrade.node.input(1) != ValueId::None) return;
  upgrade.node.set("num_outputs", static_cast<std::int64_t>(upgrade.node.outputs.size()));
}

/// TopK before 10: k was an attribute.
void topk_to_input(Upgrade& upgrade) {
  const auto k = upgrade.take_int("k");
  if (!k) throw ModelError("attribute k is missing");
  upgrade.set_input(1, upgrade.constant("k", {*k}));
}

/// Reshape before 5: the shape was an attribute.
void reshape_to_input(Upgrade& upgrade) {
  const auto shape = upgrade.take_ints("shape");
  if (!shape) throw ModelError("attribute shape is missing");
  upgrade.set_input(1, upgrade.constant("shape", *shape));
}

/// Tile before 6: one axis and how often it repeats, as inputs.
void tile_to_repeats(Upgrade& upgrade) {
  const std::int64_t rank = upgrade.known_rank(0);
  const auto tiles = upgrade.constant_ints(1);
  const auto axis = upgrade.constant_ints(2);
  if (tiles.size() != 1 || axis.size() != 1) throw ModelError("inputs tiles and axis must hold one number each");
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(rank), 1);
  repeats[static_cast<std::size_t>(normalize_axis(axis[0], rank))] = tiles[0];
  upgrade.node.inputs = {upgrade.node.inputs[0], upgrade.constant("repeats", repeats)};
}

/// Concat before 4: the axis could be left out and was 1.
void concat_axis(Upgrade& upgrade) {
  if (!upgrade.node.has("axis")) upgrade.node.set("axis", std::int64_t{1});
}

/// Cast before 6: the type was given by its name.
void cast_type_name(Upgrade& upgrade) {
  static constexpr std::pair<std::string_view, DType> names[] = {
      {"FLOAT", DType::F32},  {"UINT8", DType::U8},      {"INT8", DType::S8},        {"UINT16", DType::U16},
      {"INT16", DType::S16},  {"INT32", DType::S32},     {"INT64", DType::S64},      {"STRING", DType::String},
      {"BOOL", DType::Bool},  {"FLOAT16", DType::F16},   {"DOUBLE", DType::F64},     {"UINT32", DType::U32},
      {"UINT64", DType::U64}, {"COMPLEX64", DType::C64}, {"COMPLEX128", DType::C128}};
  const Attribute* to = upgrade.node.find("to");
  if (to == nullptr || !std::holds_alternative<std::string>(*to)) return;
  std::string name = *upgrade.take_string("to");
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto found =
      std::find_if(std::begin(names), std::end(names), [&](const auto& row) { return row.first == name; });
  if (found == std::end(names))
    throw ModelError(cat("attribute to is ", adze::quoted(name), ", which is no element type"));
  upgrade.node.set("to", static_cast<std::int64_t>(found->second));
}

/// DFT before 20: the axis was an attribute, 1 when left out.
void dft_axis_to_input(Upgrade& upgrade) {
  const std::int64_t axis = upgrade.take_int("axis").value_or(1);
  upgrade.set_input(2, upgrade.constant("axis", Tensor::scalar<std::int64_t>(axis)));
}

constexpr UpgradeRule rules[] = {
    {OpKind::Squeeze, 1, 12, axes_to_input},
    {OpKind::Unsqueeze, 1, 12, axes_to_input},
    {OpKind::ReduceSum, 1, 12, axes_to_input},
    {OpKind::ReduceL1, 1, 17, axes_to_input},
    {OpKind::ReduceL2, 1, 17, axes_to_input},
    {OpKind::ReduceLogSum, 1, 17, axes_to_input},
    {OpKind::ReduceLogSumExp, 1, 17, axes_to_input},
    {OpKind::ReduceMax, 1, 17, axes_to_input},
    {OpKind::ReduceMean, 1, 17, axes_to_input},
    {OpKind::ReduceMin, 1, 17, axes_to_input},
    {OpKind::ReduceProd, 1, 17, axes_to_input},
    {OpKind::ReduceSumSquare, 1, 17, axes_to_input},
    {OpKind::Clip, 1, 10, clip_to_inputs},
    {OpKind::Slice, 1, 9, slice_to_inputs},
    {OpKind::Pad, 1, 10, pad_to_inputs},
    {OpKind::Split, 1, 12, split_to_input},
    {OpKind::Split, 1, 17, split_equally},
    {OpKind::TopK, 1, 9, topk_to_input},
    {OpKind::Reshape, 1, 4, reshape_to_input},
    {OpKind::Tile, 1, 5, tile_to_repeats},
    {OpKind::Concat, 1, 3, concat_axis},
    {OpKind::Cast, 1, 5, cast_type_name},
    {OpKind::DFT, 17, 19, dft_axis_to_input},
};

}  // namespace

std::span<const UpgradeRule> attribute_upgrades() {
  return rules;
}

}  // namespace adze::onnx
