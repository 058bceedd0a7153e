#include "adze/rewrite/rules/propagate_qdq.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/rewrite/permutation.h"
#include "adze/rewrite/quantization.h"

namespace adze::rewrite {

namespace {

constexpr OpKind movements[] = {OpKind::Transpose, OpKind::Reshape,      OpKind::Flatten,     OpKind::Squeeze,
                                OpKind::Unsqueeze, OpKind::Slice,        OpKind::Expand,      OpKind::Tile,
                                OpKind::Gather,    OpKind::SpaceToDepth, OpKind::DepthToSpace};

bool is_movement(OpKind kind) {
  return std::ranges::find(movements, kind) != std::end(movements);
}

std::vector<std::pair<std::string, Attribute>> with_axis(const Node& node, std::int64_t axis) {
  Node copy = node;
  copy.set("axis", axis);
  return copy.attributes;
}

/// The quantization axis behind (or, inverted, before) the movement; nothing when the scales cannot pass.
std::optional<std::int64_t> moved_axis(const RuleContext& context, const Node& quantization, const Node& movement,
                                       bool is_down) {
  if (is_per_tensor(context, quantization)) return quantization.get_int("axis");
  if (movement.kind != OpKind::Transpose || quantization.get_int("block_size") != 0) return std::nullopt;
  auto perm = permutation_of(context, movement);
  if (!perm) return std::nullopt;
  // Transpose's perm leads from an axis of its result to that of its input.
  return mapped_axis(is_down ? inverse(*perm) : *perm, quantization.get_int("axis"));
}

std::optional<GraphEdit> move_dequantize_down(const RuleContext& context, NodeId id) {
  const Node& movement = context.node(id);
  const Node* dequantize = context.producer(movement.input(0), OpKind::DequantizeLinear);
  if (dequantize == nullptr || !context.uses.single(movement.input(0))) return std::nullopt;
  if (dtype_bits(context.dtype(dequantize->input(0))) < 8) return std::nullopt;  // packed codes are not moved
  const auto axis = moved_axis(context, *dequantize, movement, true);
  if (!axis) return std::nullopt;
  GraphEdit edit(context.graph, cat(movement.name, " moves codes"));
  std::vector<ValueId> inputs = movement.inputs;
  inputs[0] = dequantize->input(0);
  std::vector<ValueId> parameters = dequantize->inputs;
  parameters[0] = edit.add_node(movement.kind, inputs, movement.attributes, movement.name);
  edit.replace(movement.output(),
               edit.add_node(OpKind::DequantizeLinear, parameters, with_axis(*dequantize, *axis), dequantize->name));
  return edit;
}

std::optional<GraphEdit> move_quantize_up(const RuleContext& context, NodeId id) {
  const Node& quantize = context.node(id);
  const Node* movement = context.graph.producer_of(quantize.input(0));
  if (movement == nullptr || !is_movement(movement->kind) || !context.uses.single(quantize.input(0)))
    return std::nullopt;
  if (dtype_bits(context.dtype(quantize.output())) < 8) return std::nullopt;
  if (context.graph.constant(quantize.input(1)) == nullptr)
    return std::nullopt;  // a computed scale may depend on the movement
  const auto axis = moved_axis(context, quantize, *movement, false);
  if (!axis) return std::nullopt;
  GraphEdit edit(context.graph, cat(movement->name, " moves codes"));
  std::vector<ValueId> parameters = quantize.inputs;
  parameters[0] = movement->input(0);
  std::vector<ValueId> inputs = movement->inputs;
  inputs[0] = edit.add_node(OpKind::QuantizeLinear, parameters, with_axis(quantize, *axis), quantize.name);
  edit.replace(quantize.output(), edit.add_node(movement->kind, inputs, movement->attributes, movement->name));
  return edit;
}

std::optional<GraphEdit> concat_codes(const RuleContext& context, NodeId id) {
  const Node& quantize = context.node(id);
  const Node* concat = context.producer(quantize.input(0), OpKind::Concat);
  if (concat == nullptr || !context.uses.single(quantize.input(0)) || !is_per_tensor(context, quantize))
    return std::nullopt;
  std::vector<ValueId> codes;
  for (const ValueId input : concat->inputs) {
    const Node* dequantize = context.producer(input, OpKind::DequantizeLinear);
    if (dequantize == nullptr || !same_quantization(context, *dequantize, quantize)) return std::nullopt;
    codes.push_back(dequantize->input(0));
    if (context.dtype(codes.back()) != context.dtype(quantize.output())) return std::nullopt;
  }
  GraphEdit edit(context.graph, cat(concat->name, " joins codes"));
  edit.replace(quantize.output(), edit.add_node(OpKind::Concat, codes, concat->attributes, concat->name));
  return edit;
}

}  // namespace

std::vector<Rule> propagate_qdq_rules() {
  return {{"dequantize-after-movement",
           Exactness::Exact,
           {std::begin(movements), std::end(movements)},
           move_dequantize_down},
          {"quantize-before-movement", Exactness::Exact, {OpKind::QuantizeLinear}, move_quantize_up},
          {"concat-codes", Exactness::Exact, {OpKind::QuantizeLinear}, concat_codes}};
}

}  // namespace adze::rewrite
