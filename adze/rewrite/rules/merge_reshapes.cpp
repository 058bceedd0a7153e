#include "adze/rewrite/rules/merge_reshapes.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

bool is_reshape(OpKind kind) {
  return kind == OpKind::Reshape || kind == OpKind::Flatten || kind == OpKind::Squeeze || kind == OpKind::Unsqueeze;
}

/// The shape as Reshape's second input, -1 for the one unknown dimension.
std::optional<Tensor> target_shape(const SymbolicShape* shape) {
  if (shape == nullptr) return std::nullopt;
  std::vector<std::int64_t> dims;
  for (const Dim& dim : *shape) {
    if (dim.is_known() && dim.value == 0) return std::nullopt;
    dims.push_back(dim.is_known() ? dim.value : -1);
  }
  if (std::count(dims.begin(), dims.end(), -1) > 1) return std::nullopt;
  return Tensor::ints(dims);
}

std::optional<GraphEdit> reshape_to_type(const RuleContext& context, const Node& node, ValueId data, std::string why) {
  auto shape = target_shape(context.shape(node.output()));
  if (!shape) return std::nullopt;
  GraphEdit edit(context.graph, std::move(why));
  const ValueId target = edit.add_constant(cat(node.name, "_shape"), std::move(*shape));
  edit.replace(node.output(), edit.add_node(OpKind::Reshape, {data, target}, {}, node.name));
  return edit;
}

std::optional<GraphEdit> merge_chain(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const Node* before = context.graph.producer_of(node.input(0));
  if (before == nullptr || !is_reshape(before->kind)) return std::nullopt;
  return reshape_to_type(context, node, before->input(0), cat(before->name, " and ", node.name, " reshape once"));
}

std::optional<GraphEdit> make_shape_constant(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  if (context.graph.constant(node.input(1)) != nullptr) return std::nullopt;
  return reshape_to_type(context, node, node.input(0), cat(node.name, " has a known shape"));
}

std::optional<GraphEdit> transpose_to_reshape(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const SymbolicShape* shape = context.shape(node.input(0));
  const auto perm = node.get_ints("perm");
  if (shape == nullptr || perm.size() != shape->size()) return std::nullopt;
  std::int64_t last = -1;
  for (const std::int64_t axis : perm) {
    if ((*shape)[static_cast<std::size_t>(axis)] == Dim(1)) continue;
    if (axis < last) return std::nullopt;
    last = axis;
  }
  return reshape_to_type(context, node, node.input(0), cat(node.name, " moves axes of size 1 only"));
}

}  // namespace

std::vector<Rule> merge_reshapes_rules() {
  return {{"merge-reshapes",
           Exactness::Exact,
           {OpKind::Reshape, OpKind::Flatten, OpKind::Squeeze, OpKind::Unsqueeze},
           merge_chain},
          {"reshape-to-constant", Exactness::Exact, {OpKind::Reshape}, make_shape_constant},
          {"transpose-to-reshape", Exactness::Exact, {OpKind::Transpose}, transpose_to_reshape}};
}

}  // namespace adze::rewrite
