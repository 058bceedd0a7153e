#include "adze/engine/followers.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/post_ops_s8.h"
#include "adze/plan/coded_weights.h"

namespace adze::engine {

namespace {

std::optional<Shape> known_shape(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return std::nullopt;
  const ValueType& type = graph.value(id).type;
  return type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
}

/// Of known shape and not empty.
bool is_known(const Graph& graph, ValueId id) {
  const auto shape = known_shape(graph, id);
  return shape && num_elements(*shape) > 0;
}

bool is_known_float(const Graph& graph, ValueId id) {
  return is_known(graph, id) && graph.value(id).type.dtype == DType::F32;
}

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// The clamp that a Relu or Clip with constant bounds is.
std::optional<Bounds> clamp_of(const Graph& graph, const Node& node) {
  Bounds bounds;
  if (node.kind == OpKind::Relu) {
    bounds.low = 0.0f;
    return bounds;
  }
  if (node.kind != OpKind::Clip) return std::nullopt;
  for (const std::size_t i : {1, 2}) {
    if (node.input(i) == ValueId::None) continue;
    const Tensor* bound = graph.constant(node.input(i));
    if (bound == nullptr || bound->dtype() != DType::F32 || bound->size() != 1) return std::nullopt;
    (i == 1 ? bounds.low : bounds.high) = bound->data<float>()[0];
  }
  return bounds;
}

}  // namespace

/// A product that steps/product.cpp surely binds.
bool Followers::is_float_product(const Node& node) const {
  const Tensor* weights = from_.constant(node.input(1));
  if (weights == nullptr || weights->rank() != 2 || (node.kind == OpKind::Gemm && node.get_int("transA") != 0))
    return false;
  if (node.input(2) != ValueId::None) {
    const Tensor* bias = from_.constant(node.input(2));
    if (bias == nullptr || (bias->size() != 1 && bias->size() != bias->shape().back())) return false;
    const auto columns = weights->dim(node.kind == OpKind::Gemm && node.get_int("transB") != 0 ? 0 : 1);
    if (bias->size() != 1 && bias->size() != columns) return false;
  }
  for (const ValueId input : node.inputs) {
    if (input == ValueId::None) continue;
    const auto shape = known_shape(from_, input);
    if (!shape || num_elements(*shape) == 0 || from_.value(input).type.dtype != DType::F32) return false;
  }
  const auto shape = known_shape(from_, node.output());
  return shape && num_elements(*shape) > 0 && known_shape(from_, node.inputs[0])->size() >= 2;
}

/// Can the node's step keep its results within bounds?
bool Followers::takes_bounds(const Node& node, NodeId id) const {
  switch (node.kind) {
    case OpKind::Conv:
      return node.get_int("channels_last", 0) != 0;
    case OpKind::QGemm:
      return node.has(coded_attribute) && is_known_float(arranged_, node.inputs[0]);
    case OpKind::Gemm:
    case OpKind::MatMul:
      return is_float_product(from_.node(id));
    case OpKind::Add:
    case OpKind::Sub:
    case OpKind::Mul:
    case OpKind::Div:
      return std::all_of(node.inputs.begin(), node.inputs.end(),
                         [&](ValueId input) { return is_known_float(arranged_, input); });
    default:
      return false;
  }
}

/// The node that alone reads the value, not taken yet; None: there is no such node.
NodeId Followers::sole_reader(ValueId value) const {
  if (!uses_.single(value) || !is_known(from_, value)) return NodeId::None;
  const NodeId reader = uses_.of(value)[0];
  const Node& node = from_.node(reader);
  const bool takes = !taken(reader) && node.outputs.size() == 1 && is_known(from_, node.output());
  return takes ? reader : NodeId::None;
}

void Followers::take_over(Node& node, NodeId reader) {
  node.outputs[0] = from_.node(reader).outputs[0];
  taken_[static_cast<std::size_t>(reader)] = true;
}

void Followers::take_clamp(Node& node) {
  const NodeId reader = sole_reader(node.outputs[0]);
  if (reader == NodeId::None || from_.node(reader).inputs[0] != node.outputs[0]) return;
  if (const auto bounds = clamp_of(from_, from_.node(reader))) {
    node.set("fused_low", bounds->low);
    node.set("fused_high", bounds->high);
    take_over(node, reader);
  }
}

void Followers::take_sum(Node& node) {
  const ValueId output = node.outputs[0];
  const NodeId sum = sole_reader(output);
  if (sum == NodeId::None || from_.node(sum).kind != OpKind::Add) return;
  const std::vector<ValueId>& terms = from_.node(sum).inputs;
  const ValueId other = terms[0] == output ? terms[1] : terms[0];
  if (other == output || last_(other) == ValueId::None || known_shape(from_, other) != known_shape(from_, output)) {
    return;
  }
  set_post_add(node, last_(other));
  take_over(node, sum);
  const NodeId clamp = sole_reader(node.outputs[0]);
  if (clamp == NodeId::None) return;
  if (const auto bounds = clamp_of(from_, from_.node(clamp))) {
    set_post_clamp(node, bounds->low, bounds->high);
    take_over(node, clamp);
  }
}

void Followers::take_function(Node& node) {
  const NodeId reader = sole_reader(node.outputs[0]);
  if (reader == NodeId::None || from_.value(from_.node(reader).output()).type.dtype != DType::F32) return;
  if (const auto function = unary_function_of(from_.node(reader))) {
    set_post_function(node, *function);
    take_over(node, reader);
  }
}

void Followers::take_table(Node& node) {
  const NodeId reader = sole_reader(node.outputs[0]);
  if (reader == NodeId::None || from_.node(reader).kind != OpKind::QTable) return;
  const Tensor* table = from_.constant(from_.node(reader).input(1));
  if (table == nullptr || table->size() != 256 || !is_byte(table->dtype())) return;
  set_post_table(node, from_.value(node.outputs[0]).type.dtype, *table);
  take_over(node, reader);
}

void Followers::take_byte_sum(Node& node) {
  const ValueId output = node.outputs[0];
  const NodeId reader = sole_reader(output);
  if (reader == NodeId::None || from_.node(reader).kind != OpKind::QAdd) return;
  const Node& sum = from_.node(reader);
  const std::size_t side = sum.inputs[0] == output ? 0 : 1;
  const ValueId other = sum.inputs[1 - side];
  const bool fits = other != output && last_(other) != ValueId::None && is_byte(from_.value(other).type.dtype) &&
                    is_byte(from_.value(sum.output()).type.dtype) &&
                    known_shape(from_, other) == known_shape(from_, output);
  if (!fits) return;
  set_post_sum(node, sum, side, from_.value(output).type.dtype, last_(other));
  take_over(node, reader);
}

void Followers::take(Node& node, NodeId id) {
  if (node.outputs.size() != 1 || !is_known(from_, node.outputs[0])) return;
  const bool channels_last = node.get_int("channels_last", 0) != 0;
  if (node.kind == OpKind::QConv && channels_last && is_byte(from_.value(node.outputs[0]).type.dtype)) {
    take_table(node);
    if (!node.has(post_table)) take_byte_sum(node);
    return;
  }
  if (from_.value(node.outputs[0]).type.dtype != DType::F32 || !takes_bounds(node, id)) return;
  take_clamp(node);
  if (node.kind == OpKind::Conv) take_sum(node);
  const bool has_post_ops = node.kind == OpKind::Conv || node.kind == OpKind::Gemm || node.kind == OpKind::MatMul ||
                            node.kind == OpKind::QGemm;
  if (has_post_ops) take_function(node);
}

}  // namespace adze::engine
