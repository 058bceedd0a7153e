#include "adze/rewrite/rules/remove_identities.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"

namespace adze::rewrite {

namespace {

bool same_dtype(const RuleContext& context, ValueId a, ValueId b) {
  return context.dtype(a) != DType::Undefined && context.dtype(a) == context.dtype(b);
}

/// Shapes equal for certain: then an operator that only moves elements in order returns its input.
bool keeps_shape(const RuleContext& context, const Node& node) {
  const SymbolicShape* before = context.shape(node.input(0));
  const SymbolicShape* after = context.shape(node.output());
  if (same_shape(before, after)) return true;
  if (node.kind != OpKind::Reshape || before == nullptr || after == nullptr || before->size() != after->size()) {
    return false;
  }
  int unknown = 0;  // with one unknown dimension left, its size follows from the others
  for (std::size_t i = 0; i < before->size(); ++i) {
    if ((*before)[i].is_known() && (*after)[i].is_known()) {
      if ((*before)[i].value != (*after)[i].value || (*before)[i].value == 0) return false;
    } else if ((*before)[i].is_known() || (*after)[i].is_known()) {
      return false;
    } else {
      ++unknown;
    }
  }
  return unknown <= 1;
}

bool is_zero(const RuleContext& context, ValueId id) {
  const Tensor* constant = context.graph.constant(id);
  return constant != nullptr && constant->size() > 0 && all_equal(*constant, 0);
}

bool is_one(const RuleContext& context, ValueId id) {
  const Tensor* constant = context.graph.constant(id);
  return constant != nullptr && constant->size() > 0 && all_equal(*constant, 1);
}

/// Arithmetic with a neutral constant: the input that comes out unchanged, or None.
ValueId neutral_arithmetic(const RuleContext& context, const Node& node) {
  const ValueId a = node.input(0), b = node.input(1);
  const auto keeps = [&](ValueId data, ValueId constant, bool is_neutral) {
    return is_neutral && broadcasts_into(*context.graph.constant(constant), context.shape(data));
  };
  switch (node.kind) {
    case OpKind::Add:
      if (keeps(a, b, is_zero(context, b))) return a;
      return keeps(b, a, is_zero(context, a)) ? b : ValueId::None;
    case OpKind::Mul:
      if (keeps(a, b, is_one(context, b))) return a;
      return keeps(b, a, is_one(context, a)) ? b : ValueId::None;
    case OpKind::Sub:
      return keeps(a, b, is_zero(context, b)) ? a : ValueId::None;
    case OpKind::Div:
    case OpKind::Pow:
      return keeps(a, b, is_one(context, b)) ? a : ValueId::None;
    default:
      return ValueId::None;
  }
}

bool is_identity_permutation(const RuleContext& context, const Node& node) {
  const auto perm = node.get_ints("perm");
  if (perm.empty()) return context.rank(node.input(0)).value_or(2) <= 1;
  return std::is_sorted(perm.begin(), perm.end());
}

bool is_no_slice(const RuleContext& context, const Node& node) {
  if (node.input(4) != ValueId::None) {
    const Tensor* steps = context.graph.constant(node.input(4));
    if (steps == nullptr || !all_equal(*steps, 1)) return false;
  }
  if (same_shape(context.shape(node.input(0)), context.shape(node.output()))) return true;
  const auto starts = context.ints(node.input(1)), ends = context.ints(node.input(2));
  if (!starts || !ends) return false;
  constexpr std::int64_t no_end = INT32_MAX;
  return std::all_of(starts->begin(), starts->end(), [](std::int64_t start) { return start == 0; }) &&
         std::all_of(ends->begin(), ends->end(), [](std::int64_t end) { return end >= no_end; });
}

bool drops_nothing(const RuleContext& context, const Node& node) {
  if (node.output(1) != ValueId::None && !context.uses.none(node.output(1))) return false;
  if (node.input(2) == ValueId::None) return true;
  const Tensor* training = context.graph.constant(node.input(2));
  return training != nullptr && all_equal(converted(*training, DType::S64), 0);
}

bool returns_input(const RuleContext& context, const Node& node) {
  switch (node.kind) {
    case OpKind::Identity:
      return true;
    case OpKind::Dropout:
      return drops_nothing(context, node);
    case OpKind::Cast:
    case OpKind::CastLike:
      return same_dtype(context, node.input(0), node.output());
    case OpKind::Transpose:
      return is_identity_permutation(context, node);
    case OpKind::Concat:
    case OpKind::Sum:
    case OpKind::Max:
    case OpKind::Min:
    case OpKind::Mean:
      return node.inputs.size() == 1;
    case OpKind::Split:
      return node.outputs.size() == 1;
    case OpKind::Slice:
      return is_no_slice(context, node);
    case OpKind::Pad:
      return is_zero(context, node.input(1));
    case OpKind::Tile:
      return is_one(context, node.input(1));
    case OpKind::Expand: {
      const Tensor* shape = context.graph.constant(node.input(1));
      const bool all_ones =
          shape != nullptr && all_equal(*shape, 1) && shape->size() <= context.rank(node.input(0)).value_or(0);
      return all_ones || keeps_shape(context, node);
    }
    case OpKind::Reshape:
    case OpKind::Flatten:
    case OpKind::Squeeze:
    case OpKind::Unsqueeze:
      return keeps_shape(context, node);
    default:
      return false;
  }
}

std::optional<GraphEdit> remove_identity(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  ValueId input = neutral_arithmetic(context, node);
  if (input == ValueId::None && returns_input(context, node)) input = node.input(0);
  if (input == ValueId::None || input == node.output()) return std::nullopt;
  const Value& source = context.graph.value(input);
  const bool needs_node = source.producer == NodeId::None || context.uses.is_output(input);
  if (context.uses.is_output(node.output()) && needs_node && node.kind == OpKind::Identity) {
    return std::nullopt;
  }
  GraphEdit edit(context.graph, cat(op_name(node.kind), ' ', node.name, " changes nothing"));
  edit.replace(node.output(), input);
  return edit;
}

}  // namespace

std::vector<Rule> remove_identities_rules() {
  return {{"remove-identity",
           Exactness::Exact,
           {OpKind::Identity,  OpKind::Dropout, OpKind::Cast,   OpKind::CastLike, OpKind::Transpose, OpKind::Concat,
            OpKind::Sum,       OpKind::Max,     OpKind::Min,    OpKind::Mean,     OpKind::Split,     OpKind::Slice,
            OpKind::Pad,       OpKind::Tile,    OpKind::Expand, OpKind::Reshape,  OpKind::Flatten,   OpKind::Squeeze,
            OpKind::Unsqueeze, OpKind::Add,     OpKind::Mul,    OpKind::Sub,      OpKind::Div,       OpKind::Pow},
           remove_identity}};
}

}  // namespace adze::rewrite
