// Conv, Gemm and MatMul: an s32 sum of products, rescaled per output channel.
#include "adze/plan/lowering.h"

namespace adze::lowering {

namespace {

bool explicit_padding(const Node& node) {
  const std::string padding = node.get_string("auto_pad");
  return padding.empty() || padding == "NOTSET" || padding == "VALID";
}

bool lower_conv(Lowering& lowering, const Group& group, const Node& node) {
  if (!explicit_padding(node)) return false;
  const auto x = lowering.activation(node.input(0));
  const auto w = lowering.weights(node.input(1), 0);
  if (!x || !w || !group.as_wide_as(*x)) return false;
  std::vector<ValueId> inputs = {x->stored, w->stored};
  const std::int64_t channels = lowering.graph().constant(w->stored)->dim(0);
  const auto bias = lowering.bias(node.input(2), *x, w->scales, channels);
  if (!bias) return false;
  if (*bias != ValueId::None) inputs.push_back(*bias);
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "x", *x);
  append_copies(attributes, node, {"dilations", "group", "kernel_shape", "pads", "strides"});
  attributes.emplace_back("w_scales", w->scales);
  attributes.emplace_back("w_zero_point", std::int64_t{w->zero_point});
  lowering.replace(group, OpKind::QConv, std::move(inputs), std::move(attributes));
  return true;
}

/// x times the constant matrix b, plus bias (None: without).
bool lower_product(Lowering& lowering, const Group& group, ValueId a, ValueId b, ValueId bias, bool transposed) {
  const std::int64_t channel_axis = transposed ? 0 : 1;
  const auto x = lowering.activation(a);
  const auto w = lowering.weights(b, channel_axis);
  if (!x || !w || !group.as_wide_as(*x) || lowering.graph().constant(w->stored)->rank() != 2) return false;
  std::vector<ValueId> inputs = {x->stored, w->stored};
  const std::int64_t channels = lowering.graph().constant(w->stored)->dim(channel_axis);
  const auto stored = lowering.bias(bias, *x, w->scales, channels);
  if (!stored) return false;
  if (*stored != ValueId::None) inputs.push_back(*stored);
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "x", *x);
  attributes.emplace_back("transB", std::int64_t{transposed});
  attributes.emplace_back("w_scales", w->scales);
  attributes.emplace_back("w_zero_point", std::int64_t{w->zero_point});
  lowering.replace(group, OpKind::QGemm, std::move(inputs), std::move(attributes));
  return true;
}

bool lower_gemm(Lowering& lowering, const Group& group, const Node& node) {
  if (node.get_float("alpha") != 1.0f || node.get_int("transA") != 0) return false;
  if (node.input(2) != ValueId::None && node.get_float("beta") != 1.0f) return false;
  return lower_product(lowering, group, node.input(0), node.input(1), node.input(2), node.get_int("transB") != 0);
}

bool lower_matmul(Lowering& lowering, const Group& group, const Node& node) {
  if (lower_product(lowering, group, node.input(0), node.input(1), ValueId::None, false)) return true;
  const auto a = lowering.activation(node.input(0));
  const auto b = lowering.activation(node.input(1));
  if (!a || !b || !group.as_wide_as(*a) || !group.as_wide_as(*b)) return false;
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "a", *a);
  append_affine(attributes, "b", *b);
  lowering.replace(group, OpKind::QMatMul, {a->stored, b->stored}, std::move(attributes));
  return true;
}

/// MatMul → Add of a constant row, as linear layers are exported.
bool lower_biased_matmul(Lowering& lowering, const Group& group, const Node& add) {
  for (std::size_t i = 0; i < 2; ++i) {
    const ValueId product = add.input(i);
    const Node* matmul = lowering.graph().producer_of(product);
    if (matmul == nullptr || matmul->kind != OpKind::MatMul || !lowering.uses().single(product)) continue;
    if (lower_product(lowering, group, matmul->input(0), matmul->input(1), add.input(1 - i), false)) return true;
  }
  return false;
}

}  // namespace

bool lower_compute(Lowering& lowering, const Group& group) {
  const Node node = lowering.graph().node(group.op);  // a copy: adding nodes moves the graph's own
  switch (node.kind) {
    case OpKind::Conv:
      return lower_conv(lowering, group, node);
    case OpKind::Gemm:
      return lower_gemm(lowering, group, node);
    case OpKind::MatMul:
      return lower_matmul(lowering, group, node);
    case OpKind::Add:
      return lower_biased_matmul(lowering, group, node);
    default:
      return false;
  }
}

}  // namespace adze::lowering
