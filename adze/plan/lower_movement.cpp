// Operators that only move, repeat or select elements work on the quantized tensor itself.
#include <algorithm>
#include <cmath>

#include "adze/plan/lowering.h"

namespace adze::lowering {

namespace {

bool same_affine(const Quantized& x, const Group& group) {
  return x.dtype == group.y_dtype && x.scales[0] == group.y.scale && x.zero_point == group.y.zero_point;
}

/// x brought to the scale of the result, without the group's clamp.
ValueId requantized(Lowering& lowering, const Group& group, const Quantized& x) {
  if (same_affine(x, group)) return x.stored;
  Group whole = group;
  whole.y.min = static_cast<std::int32_t>(integer_min(group.y_dtype));
  whole.y.max = static_cast<std::int32_t>(integer_max(group.y_dtype));
  Attributes attributes = lowering.output_attributes(whole);
  append_affine(attributes, "x", x);
  return lowering.add(group, OpKind::QRequantize, {x.stored}, std::move(attributes));
}

/// Ends the group in a node on quantized values of scale x: directly, or followed by a QRequantize.
void finish(Lowering& lowering, const Group& group, const Quantized& x, const Node& node, std::vector<ValueId> inputs) {
  if (same_affine(x, group) && clamps_nothing(group)) {
    lowering.replace(group, node.kind, std::move(inputs), node.attributes);
    return;
  }
  const ValueId moved = lowering.add(group, node.kind, std::move(inputs), node.attributes);
  lowering.graph().value(moved).type.dtype = x.dtype;
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "x", x);
  lowering.replace(group, OpKind::QRequantize, {moved}, std::move(attributes));
}

/// The first input is the data; the others (shapes, axes, indices) stay.
bool lower_single(Lowering& lowering, const Group& group, const Node& node) {
  const auto x = lowering.activation(node.input(0));
  if (!x) return false;
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = x->stored;
  finish(lowering, group, *x, node, std::move(inputs));
  return true;
}

/// All inputs are data, in the scale of the result: Concat, Max, Min.
bool lower_joining(Lowering& lowering, const Group& group, const Node& node) {
  std::vector<Quantized> parts;
  for (const ValueId input : node.inputs) {
    const auto part = lowering.activation(input);
    if (!part) return false;
    parts.push_back(*part);
  }
  if (parts.empty()) return false;
  std::vector<ValueId> inputs;
  for (const Quantized& part : parts) inputs.push_back(requantized(lowering, group, part));
  Quantized joined;
  joined.dtype = group.y_dtype;
  joined.scales = {group.y.scale};
  joined.zero_point = group.y.zero_point;
  finish(lowering, group, joined, node, std::move(inputs));
  return true;
}

bool lower_pad(Lowering& lowering, const Group& group, const Node& node) {
  const auto x = lowering.activation(node.input(0));
  if (!x) return false;
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = x->stored;
  if (node.get_string("mode") == "constant") {
    double fill = 0.0;
    if (node.input(2) != ValueId::None) {
      const auto stored = lowering.quantized(node.input(2));
      const Tensor* content = lowering.graph().constant(stored ? stored->stored : node.input(2));
      if (content == nullptr || content->size() != 1 || (stored && !stored->per_tensor())) return false;
      fill = content->get_double(0);
      if (stored) fill = (fill - stored->zero_point) * static_cast<double>(stored->scales[0]);
    }
    const double q = std::nearbyint(fill / static_cast<double>(x->scales[0])) + x->zero_point;
    Tensor value(x->dtype, {});
    value.set_int(0, static_cast<std::int64_t>(std::clamp<double>(q, static_cast<double>(integer_min(x->dtype)),
                                                                  static_cast<double>(integer_max(x->dtype)))));
    Graph& graph = lowering.graph();
    inputs.resize(std::max<std::size_t>(inputs.size(), 3), ValueId::None);
    inputs[2] = graph.add_constant(graph.unique_name(node.name + "/fill"), std::move(value));
  }
  finish(lowering, group, *x, node, std::move(inputs));
  return true;
}

/// All parts of a Split, each read by one QuantizeLinear of the scale that came in; done when the first is met.
bool lower_split(Lowering& lowering, const Group& group, const Node& node) {
  Graph& graph = lowering.graph();
  const auto x = lowering.activation(node.input(0));
  if (!x || !same_affine(*x, group)) return false;
  std::vector<NodeId> quantizers;
  for (const ValueId part : node.outputs) {
    if (part == ValueId::None || !lowering.uses().single(part)) return false;
    const NodeId reader = lowering.uses().of(part)[0];
    const Node& quantize = graph.node(reader);
    const Tensor* scale = graph.constant(quantize.input(1));
    const Tensor* zero_point = graph.constant(quantize.input(2));
    if (quantize.kind != OpKind::QuantizeLinear || scale == nullptr || zero_point == nullptr) return false;
    if (scale->size() != 1 || scale->get_double(0) != static_cast<double>(x->scales[0])) return false;
    if (zero_point->size() != 1 || zero_point->dtype() != x->dtype || zero_point->get_int(0) != x->zero_point)
      return false;
    quantizers.push_back(reader);
  }
  Node split = node;
  split.name = graph.unique_name(node.name + "/stored");
  split.inputs[0] = x->stored;
  split.outputs.clear();
  for (const NodeId id : quantizers) {
    split.outputs.push_back(graph.node(id).output());
    graph.remove_node(id);
  }
  graph.add_node(std::move(split));
  return true;
}

}  // namespace

bool lower_movement(Lowering& lowering, const Group& group) {
  const Node node = lowering.graph().node(group.op);
  switch (node.kind) {
    case OpKind::MaxPool:
      if (node.outputs.size() > 1 && node.outputs[1] != ValueId::None) return false;
      return lower_single(lowering, group, node);
    case OpKind::Resize:
      // Weights add up to 1, so linear sums of stored numbers are those of real ones; they round half to even.
      return (node.get_string("mode") == "nearest" || node.get_string("mode") == "linear") &&
             node.get_string("coordinate_transformation_mode") != "tf_crop_and_resize" &&
             lower_single(lowering, group, node);
    case OpKind::DepthToSpace:
    case OpKind::Expand:
    case OpKind::Flatten:
    case OpKind::Gather:
    case OpKind::GlobalMaxPool:
    case OpKind::ReduceMax:
    case OpKind::ReduceMin:
    case OpKind::Reshape:
    case OpKind::Slice:
    case OpKind::SpaceToDepth:
    case OpKind::Squeeze:
    case OpKind::Tile:
    case OpKind::Transpose:
    case OpKind::Unsqueeze:
      return lower_single(lowering, group, node);
    case OpKind::Concat:
    case OpKind::Max:
    case OpKind::Min:
      return lower_joining(lowering, group, node);
    case OpKind::Pad:
      return lower_pad(lowering, group, node);
    case OpKind::Split:
      return clamps_nothing(group) && lower_split(lowering, group, node);
    default:
      return false;
  }
}

}  // namespace adze::lowering
