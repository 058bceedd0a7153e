#include "adze/engine/fuse_functions.h"

#include <vector>

#include "adze/graph/edit.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/fuse_gelu.h"
#include "adze/rewrite/rules/fuse_hard_swish.h"
#include "adze/rewrite/rules/fuse_layer_norm.h"

namespace adze::engine {

namespace {

/// The operand x of Mul(x, Sigmoid(x)), in either order; None for any other node.
ValueId silu_input(const Graph& graph, const Uses& uses, const Node& node) {
  if (node.kind != OpKind::Mul || node.inputs.size() != 2) return ValueId::None;
  for (const std::size_t i : {0, 1}) {
    const Node* sigmoid = graph.producer_of(node.inputs[i]);
    if (sigmoid == nullptr || sigmoid->kind != OpKind::Sigmoid || sigmoid->has("times_x")) continue;
    const ValueId x = node.inputs[1 - i];
    if (sigmoid->inputs[0] == x && uses.single(node.inputs[i]) && graph.value(x).type.dtype == DType::F32) return x;
  }
  return ValueId::None;
}

/// Add(MatMul(a, w), c) becomes a MatMul with c as a third input, a bias that the product's kernel adds.
void give_product_its_bias(Graph& graph, const Uses& uses, NodeId id) {
  const Node& add = graph.node(id);
  if (add.kind != OpKind::Add) return;
  for (const std::size_t i : {0, 1}) {
    const Node* product = graph.producer_of(add.inputs[i]);
    const Tensor* bias = graph.constant(add.inputs[1 - i]);
    if (product == nullptr || product->kind != OpKind::MatMul || product->inputs.size() != 2) continue;
    const Tensor* weights = graph.constant(product->inputs[1]);
    if (bias == nullptr || weights == nullptr || weights->rank() != 2 || !uses.single(add.inputs[i])) continue;
    const bool row = bias->size() == weights->dim(1) && bias->rank() > 0 && bias->shape().back() == bias->size();
    const auto a = graph.value(product->inputs[0]).type.shape;
    if (!row || bias->dtype() != DType::F32 || !a || a->size() < 2 ||
        bias->rank() > static_cast<std::int64_t>(a->size())) {
      continue;
    }
    const std::vector<ValueId> inputs = {product->inputs[0], product->inputs[1], add.inputs[1 - i]};
    Node& changed = graph.node(id);
    changed.kind = OpKind::MatMul;
    changed.inputs = inputs;
    return;
  }
}

bool has_float_functions(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const OpKind kind = graph.node(id).kind;
    if (kind == OpKind::Sigmoid || kind == OpKind::Erf || kind == OpKind::Sqrt || kind == OpKind::Clip ||
        kind == OpKind::MatMul)
      return true;
  }
  return false;
}

}  // namespace

Graph fuse_functions(Graph graph) {
  if (!has_float_functions(graph)) return graph;
  std::vector<rewrite::Rule> rules;
  for (const auto& list :
       {rewrite::fuse_gelu_rules(), rewrite::fuse_hard_swish_rules(), rewrite::fuse_layer_norm_rules()}) {
    rules.insert(rules.end(), list.begin(), list.end());
  }
  rewrite::rewrite(graph, rules);
  const Uses uses(graph);
  for (const NodeId id : graph.node_ids()) {
    give_product_its_bias(graph, uses, id);
    const ValueId x = silu_input(graph, uses, graph.node(id));
    if (x == ValueId::None) continue;
    Node& node = graph.node(id);
    node.kind = OpKind::Sigmoid;
    node.inputs = {x};
    node.set("times_x", std::int64_t{1});
  }
  remove_dead_nodes(graph);
  return graph;
}

}  // namespace adze::engine
