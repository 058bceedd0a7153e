// Add, Sub, Mul, means and softmax.
#include "adze/plan/lowering.h"

namespace adze::lowering {

namespace {

bool lower_binary(Lowering& lowering, const Group& group, const Node& node, OpKind kind) {
  const auto a = lowering.activation(node.input(0));
  const auto b = lowering.activation(node.input(1));
  if (!a || !b || !group.as_wide_as(*a) || !group.as_wide_as(*b)) return false;
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "a", *a);
  append_affine(attributes, "b", *b);
  lowering.replace(group, kind, {a->stored, b->stored}, std::move(attributes));
  return true;
}

bool lower_unary(Lowering& lowering, const Group& group, const Node& node, OpKind kind, Attributes extra) {
  const auto x = lowering.activation(node.input(0));
  if (!x || !group.as_wide_as(*x)) return false;
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "x", *x);
  for (auto& attribute : extra) attributes.push_back(std::move(attribute));
  lowering.replace(group, kind, {x->stored}, std::move(attributes));
  return true;
}

bool lower_average_pool(Lowering& lowering, const Group& group, const Node& node) {
  const std::string padding = node.get_string("auto_pad");
  if (!padding.empty() && padding != "NOTSET" && padding != "VALID") return false;
  Attributes extra;
  append_copies(extra, node, {"ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"});
  return lower_unary(lowering, group, node, OpKind::QAveragePool, std::move(extra));
}

bool lower_global_average_pool(Lowering& lowering, const Group& group, const Node& node) {
  const auto& shape = lowering.graph().value(node.input(0)).type.shape;
  if (!shape || shape->size() < 3) return false;
  std::vector<std::int64_t> axes;
  for (std::size_t axis = 2; axis < shape->size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  return lower_unary(lowering, group, node, OpKind::QReduceMean, {{"axes", axes}, {"keepdims", std::int64_t{1}}});
}

bool lower_reduce_mean(Lowering& lowering, const Group& group, const Node& node) {
  const Tensor* axes = lowering.graph().constant(node.input(1));
  if (axes == nullptr || axes->empty()) return false;
  return lower_unary(lowering, group, node, OpKind::QReduceMean,
                     {{"axes", to_ints(*axes)}, {"keepdims", node.get_int("keepdims")}});
}

}  // namespace

bool lower_arithmetic(Lowering& lowering, const Group& group) {
  const Node node = lowering.graph().node(group.op);
  switch (node.kind) {
    case OpKind::Add:
      return lower_binary(lowering, group, node, OpKind::QAdd);
    case OpKind::Sub:
      return lower_binary(lowering, group, node, OpKind::QSub);
    case OpKind::Mul:
      return lower_binary(lowering, group, node, OpKind::QMul);
    case OpKind::AveragePool:
      return lower_average_pool(lowering, group, node);
    case OpKind::GlobalAveragePool:
      return lower_global_average_pool(lowering, group, node);
    case OpKind::ReduceMean:
      return lower_reduce_mean(lowering, group, node);
    case OpKind::Softmax:
      return lower_unary(lowering, group, node, OpKind::QSoftmax, {{"axis", node.get_int("axis")}});
    default:
      return false;
  }
}

}  // namespace adze::lowering
