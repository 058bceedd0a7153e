#include "adze/rewrite/rules/cancel_transposes.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"
#include "adze/rewrite/permutation.h"

namespace adze::rewrite {

namespace {

constexpr std::int64_t max_copied_constant_bytes = 64 << 10;

std::optional<GraphEdit> compose(const RuleContext& context, NodeId id) {
  const Node& second = context.node(id);
  const Node* first = context.producer(second.input(0), OpKind::Transpose);
  const auto p = first != nullptr ? permutation_of(context, *first) : std::nullopt;
  const auto q = permutation_of(context, second);
  if (!p || !q || p->size() != q->size()) return std::nullopt;
  const Permutation both = composed(*p, *q);
  GraphEdit edit(context.graph, cat(first->name, " and ", second.name, " are one"));
  ValueId result = first->input(0);
  if (!is_identity(both)) result = edit.add_node(OpKind::Transpose, {result}, {{"perm", both}}, second.name);
  edit.replace(second.output(), result);
  return edit;
}

/// The permutation that all computed inputs from first on share, each read by this node alone.
std::optional<Permutation> common_permutation(const RuleContext& context, const Node& node, std::size_t count) {
  std::optional<Permutation> common;
  for (std::size_t i = 0; i < count; ++i) {
    const ValueId input = node.input(i);
    if (input == ValueId::None || context.graph.constant(input) != nullptr) continue;
    const Node* transpose = context.producer(input, OpKind::Transpose);
    const bool is_alone =
        std::ranges::all_of(context.uses.of(input), [&](NodeId reader) { return &context.node(reader) == &node; });
    if (transpose == nullptr || !is_alone || context.uses.is_output(input)) return std::nullopt;
    const auto perm = permutation_of(context, *transpose);
    if (!perm || (common && *common != *perm)) return std::nullopt;
    common = perm;
  }
  return common;
}

/// The constant as it must be before the permutation, or None when that is not possible.
ValueId permuted_back(const RuleContext& context, GraphEdit& edit, ValueId id, const Permutation& perm) {
  const Tensor& constant = *context.graph.constant(id);
  if (constant.size() == 1 && constant.rank() <= 1) return id;
  if (constant.rank() > std::ssize(perm) || constant.dtype() == DType::String) return ValueId::None;
  if (!context.uses.single(id) && constant.num_bytes() > max_copied_constant_bytes) return ValueId::None;
  Shape shape(perm.size() - constant.shape().size(), 1);
  shape.insert(shape.end(), constant.shape().begin(), constant.shape().end());
  return edit.add_constant(context.graph.value(id).name, transposed(constant.reshaped(shape), inverse(perm)));
}

/// The node's first count inputs without their transposition; nothing when one cannot be.
std::optional<std::vector<ValueId>> untransposed_inputs(const RuleContext& context, GraphEdit& edit, const Node& node,
                                                        std::size_t count, const Permutation& perm) {
  std::vector<ValueId> inputs = node.inputs;
  for (std::size_t i = 0; i < std::min(count, inputs.size()); ++i) {
    if (inputs[i] == ValueId::None) continue;
    if (context.graph.constant(inputs[i]) != nullptr) {
      inputs[i] = permuted_back(context, edit, inputs[i], perm);
      if (inputs[i] == ValueId::None) return std::nullopt;
    } else {
      inputs[i] = context.graph.producer_of(inputs[i])->input(0);
    }
  }
  return inputs;
}

/// op(Transpose(x)…) → Transpose(op'(x…)), op' with other attributes and other inputs from count on.
std::optional<GraphEdit> push_through(const RuleContext& context, const Node& node, std::size_t count,
                                      const std::vector<std::pair<std::string, Attribute>>& attributes,
                                      const std::vector<std::pair<std::size_t, Tensor>>& other_inputs,
                                      const Permutation& in, const Permutation& out) {
  GraphEdit edit(context.graph, cat("transpose behind ", node.name));
  auto inputs = untransposed_inputs(context, edit, node, count, in);
  if (!inputs) return std::nullopt;
  for (const auto& [index, tensor] : other_inputs) {
    inputs->resize(std::max(inputs->size(), index + 1), ValueId::None);
    (*inputs)[index] = edit.add_constant(cat(node.name, "_axes"), tensor);
  }
  Node copy = node;
  for (const auto& [key, value] : attributes) copy.set(key, value);
  ValueId result = edit.add_node(node.kind, std::move(*inputs), std::move(copy.attributes), node.name);
  if (!is_identity(out))
    result = edit.add_node(OpKind::Transpose, {result}, {{"perm", out}}, cat(node.name, "_transpose"));
  edit.replace(node.output(), result);
  return edit;
}

std::optional<GraphEdit> through_elementwise(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const bool is_quantization = node.kind == OpKind::QuantizeLinear || node.kind == OpKind::DequantizeLinear;
  if (!is_quantization && op_info(node.kind).op_class != OpClass::Elementwise) return std::nullopt;
  std::size_t count = node.inputs.size();
  if (is_quantization || node.kind == OpKind::Clip || node.kind == OpKind::CastLike) count = 1;
  if (is_quantization) {
    const Tensor* scale = context.graph.constant(node.input(1));
    if (scale == nullptr || scale->size() != 1 || scale->rank() > 0) return std::nullopt;
  }
  const auto perm = common_permutation(context, node, count);
  if (!perm) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    // Broadcasting aligns axes from the right, so all computed inputs must have the full rank.
    if (context.graph.constant(node.input(i)) == nullptr && context.rank(node.input(i)) != std::ssize(*perm))
      return std::nullopt;
    const Tensor* constant = context.graph.constant(node.input(i));
    if (constant != nullptr && constant->rank() > std::ssize(*perm)) return std::nullopt;
  }
  return push_through(context, node, count, {}, {}, *perm, *perm);
}

std::optional<GraphEdit> through_concat(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const auto perm = common_permutation(context, node, node.inputs.size());
  if (!perm) return std::nullopt;
  for (const ValueId input : node.inputs) {
    const Tensor* constant = context.graph.constant(input);
    if (constant != nullptr && constant->rank() != std::ssize(*perm)) return std::nullopt;
  }
  return push_through(context, node, node.inputs.size(), {{"axis", mapped_axis(*perm, node.get_int("axis"))}}, {},
                      *perm, *perm);
}

std::optional<GraphEdit> through_softmax(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const auto perm = common_permutation(context, node, 1);
  if (!perm) return std::nullopt;
  return push_through(context, node, 1, {{"axis", mapped_axis(*perm, node.get_int("axis"))}}, {}, *perm, *perm);
}

std::optional<std::vector<std::int64_t>> mapped_axes(const RuleContext& context, ValueId id, const Permutation& perm) {
  auto axes = context.ints(id);
  if (!axes) return std::nullopt;
  for (std::int64_t& axis : *axes) axis = mapped_axis(perm, axis);
  return axes;
}

std::vector<std::int64_t> all_axes(std::size_t count) {
  std::vector<std::int64_t> axes(count);
  for (std::size_t i = 0; i < count; ++i) axes[i] = static_cast<std::int64_t>(i);
  return axes;
}

std::optional<GraphEdit> through_slice(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const auto perm = common_permutation(context, node, 1);
  const auto starts = context.ints(node.input(1));
  if (!perm || !starts) return std::nullopt;
  auto axes = mapped_axes(context, node.input(3), *perm);
  if (node.input(3) == ValueId::None) {
    axes = all_axes(starts->size());
    for (std::int64_t& axis : *axes) axis = mapped_axis(*perm, axis);
  }
  if (!axes) return std::nullopt;
  // The axes have the dtype of the starts.
  return push_through(context, node, 1, {}, {{3, converted(Tensor::ints(*axes), context.dtype(node.input(1)))}}, *perm,
                      *perm);
}

std::optional<GraphEdit> through_pad(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const auto perm = common_permutation(context, node, 1);
  const auto amounts = context.ints(node.input(1));
  if (!perm || !amounts) return std::nullopt;
  const auto axes = node.input(3) == ValueId::None ? all_axes(amounts->size() / 2)
                                                   : context.ints(node.input(3)).value_or(Permutation{});
  if (amounts->size() != 2 * axes.size()) return std::nullopt;
  std::vector<std::int64_t> moved = axes;
  for (std::int64_t& axis : moved) axis = mapped_axis(*perm, axis);
  return push_through(context, node, 1, {}, {{3, Tensor::ints(moved)}}, *perm, *perm);
}

/// Reductions and Squeeze, axes as second input.
std::optional<GraphEdit> through_reduction(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const auto perm = common_permutation(context, node, 1);
  if (!perm || node.input(1) == ValueId::None) return std::nullopt;
  const auto axes = mapped_axes(context, node.input(1), *perm);
  if (!axes || axes->empty()) return std::nullopt;
  const bool keeps = node.kind != OpKind::Squeeze && node.get_int("keepdims") != 0;
  return push_through(context, node, 1, {}, {{1, Tensor::ints(*axes)}}, *perm,
                      keeps ? *perm : without_axes(*perm, *axes));
}

/// Gemm(Transpose(a), b) → Gemm(a, b) with transA.
std::optional<GraphEdit> into_gemm(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  for (std::size_t side = 0; side < 2; ++side) {
    const Node* transpose = context.producer(node.input(side), OpKind::Transpose);
    const auto perm = transpose != nullptr ? permutation_of(context, *transpose) : std::nullopt;
    if (!perm || *perm != Permutation{1, 0}) continue;
    const char* flag = side == 0 ? "transA" : "transB";
    GraphEdit edit(context.graph, cat(transpose->name, " joins ", node.name));
    edit.set_attribute(id, flag, std::int64_t{node.get_int(flag) == 0});
    edit.set_input(id, side, transpose->input(0));
    return edit;
  }
  return std::nullopt;
}

/// MatMul of two matrices, one of them transposed → Gemm.
std::optional<GraphEdit> into_matmul(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const bool is_flat = context.rank(node.input(0)) == 2 && context.rank(node.input(1)) == 2;
  if (!is_flat || !is_float(context.dtype(node.output()))) return std::nullopt;
  for (std::size_t side = 0; side < 2; ++side) {
    const Node* transpose = context.producer(node.input(side), OpKind::Transpose);
    if (transpose == nullptr || permutation_of(context, *transpose) != Permutation{1, 0}) continue;
    std::vector<ValueId> inputs = node.inputs;
    inputs[side] = transpose->input(0);
    GraphEdit edit(context.graph, cat(transpose->name, " joins ", node.name));
    edit.replace(node.output(),
                 edit.add_node(OpKind::Gemm, inputs, {{side == 0 ? "transA" : "transB", std::int64_t{1}}}, node.name));
    return edit;
  }
  return std::nullopt;
}

std::vector<OpKind> elementwise_kinds() {
  std::vector<OpKind> kinds = {OpKind::QuantizeLinear, OpKind::DequantizeLinear};
  for (int i = 0; i < num_op_kinds; ++i) {
    const OpInfo& info = op_info(static_cast<OpKind>(i));
    if (info.op_class == OpClass::Elementwise && info.domain == Domain::Onnx && info.kind != OpKind::PRelu)
      kinds.push_back(info.kind);
  }
  return kinds;
}

}  // namespace

std::vector<Rule> cancel_transposes_rules() {
  using enum OpKind;
  return {{"compose-transposes", Exactness::Exact, {Transpose}, compose},
          {"transpose-through-elementwise", Exactness::Exact, elementwise_kinds(), through_elementwise},
          {"transpose-through-concat", Exactness::Exact, {Concat}, through_concat},
          {"transpose-through-softmax", Exactness::Rounding, {Softmax, LogSoftmax}, through_softmax},
          {"transpose-through-slice", Exactness::Exact, {Slice}, through_slice},
          {"transpose-through-pad", Exactness::Exact, {Pad}, through_pad},
          {"transpose-through-reduction",
           Exactness::Rounding,
           {ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare, Squeeze},
           through_reduction},
          {"transpose-into-gemm", Exactness::Rounding, {Gemm}, into_gemm},
          {"transpose-into-matmul", Exactness::Rounding, {MatMul}, into_matmul}};
}

}  // namespace adze::rewrite
