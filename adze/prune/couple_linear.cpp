#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

void pin_from(Coupling& coupling, ValueId value, std::int64_t first_axis, std::string_view why) {
  for (std::int64_t axis = first_axis; axis < coupling.rank(value); ++axis) coupling.pin(value, axis, why);
}

constexpr std::string_view window = "a window goes over it";

/// Channels of a grouped convolution: the same place of every group goes in all groups, so that groups stay equal.
/// weight_axis holds that place; channel_axis of value holds all groups.
void link_groups(Coupling& coupling, ValueId value, std::int64_t channel_axis, ValueId weight, std::int64_t weight_axis,
                 std::int64_t groups) {
  const std::int64_t per_group = coupling.dim(weight, weight_axis);
  if (coupling.dim(value, channel_axis) != groups * per_group) {
    coupling.pin(value, channel_axis, "its size is not known");
    coupling.pin(weight, weight_axis, "its size is not known");
    return;
  }
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int64_t i = 0; i < per_group; ++i) {
      coupling.link(value, channel_axis, group * per_group + i, weight, weight_axis, i);
    }
  }
}

/// One channel a group: the groups themselves go.
void couple_depthwise(Coupling& coupling, ValueId x, ValueId weight, ValueId y) {
  const std::int64_t channels = coupling.dim(x, 1), outputs = coupling.dim(y, 1);
  if (channels < 1 || outputs < channels) {
    coupling.pin(x, 1, "its size is not known");
    return coupling.pin(y, 1, "its size is not known");
  }
  for (std::int64_t out = 0; out < outputs; ++out) coupling.link(x, 1, out / (outputs / channels), y, 1, out);
  coupling.link(weight, 0, y, 1);
  pin_from(coupling, weight, 1, window);
}

/// Grouped: the same place of all groups' outputs goes together.
void couple_group_outputs(Coupling& coupling, ValueId y, std::int64_t groups) {
  const std::int64_t per_group = coupling.dim(y, 1) / groups;
  for (std::int64_t group = 1; group < groups; ++group) {
    for (std::int64_t i = 0; i < per_group; ++i) coupling.link(y, 1, i, y, 1, group * per_group + i);
  }
}

void couple_conv(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId x = node.input(0), weight = node.input(1), bias = node.input(2), y = node.output();
  const std::int64_t groups = node.get_int("group", 1);
  coupling.link(x, 0, y, 0);
  pin_from(coupling, x, 2, window);
  pin_from(coupling, y, 2, window);
  pin_from(coupling, weight, 2, window);
  coupling.set_role(weight, 0, id, 1, Role::Produces);
  if (groups > 1 && coupling.dim(weight, 1) == 1) {
    couple_depthwise(coupling, x, weight, y);
  } else {
    link_groups(coupling, x, 1, weight, 1, groups);
    coupling.link(weight, 0, y, 1);
    if (groups > 1) couple_group_outputs(coupling, y, groups);
    coupling.set_role(weight, 1, id, 1, Role::Consumes);
  }
  if (bias == ValueId::None) return;
  coupling.link(bias, 0, y, 1);
  coupling.set_role(bias, 0, id, 2, Role::PerChannel);
}

void couple_conv_transpose(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId x = node.input(0), weight = node.input(1), bias = node.input(2), y = node.output();
  const std::int64_t groups = node.get_int("group", 1);
  coupling.link(x, 0, y, 0);
  pin_from(coupling, x, 2, window);
  pin_from(coupling, y, 2, window);
  pin_from(coupling, weight, 2, window);
  if (groups > 1) {
    coupling.pin(x, 1, "a grouped transposed convolution");
    coupling.pin(y, 1, "a grouped transposed convolution");
    coupling.pin(weight, 0, "a grouped transposed convolution");
    coupling.pin(weight, 1, "a grouped transposed convolution");
  } else {
    coupling.link(x, 1, weight, 0);
    coupling.link(weight, 1, y, 1);
    coupling.set_role(weight, 0, id, 1, Role::Consumes);
    coupling.set_role(weight, 1, id, 1, Role::Produces);
  }
  if (bias == ValueId::None) return;
  coupling.link(bias, 0, y, 1);
  coupling.set_role(bias, 0, id, 2, Role::PerChannel);
}

void couple_gemm(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId a = node.input(0), b = node.input(1), c = node.input(2), y = node.output();
  const std::int64_t inner_a = node.get_int("transA", 0) != 0 ? 0 : 1;
  const std::int64_t inner_b = node.get_int("transB", 0) != 0 ? 1 : 0;
  coupling.link(a, 1 - inner_a, y, 0);
  coupling.link(b, 1 - inner_b, y, 1);
  coupling.link(a, inner_a, b, inner_b);
  coupling.set_role(b, inner_b, id, 1, Role::Consumes);
  coupling.set_role(b, 1 - inner_b, id, 1, Role::Produces);
  if (c == ValueId::None) return;
  const std::int64_t missing = 2 - coupling.rank(c);
  for (std::int64_t axis = 0; axis < coupling.rank(c); ++axis) coupling.link(c, axis, y, axis + missing);
  if (coupling.rank(c) > 0) coupling.set_role(c, coupling.rank(c) - 1, id, 2, Role::PerChannel);
}

/// Batch axes of a MatMul, aligned at the right.
void link_batch(Coupling& coupling, ValueId operand, ValueId y) {
  const std::int64_t missing = coupling.rank(y) - coupling.rank(operand);
  for (std::int64_t axis = 0; axis < coupling.rank(operand) - 2; ++axis) {
    coupling.link(operand, axis, y, axis + missing);
  }
}

void couple_matmul(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId a = node.input(0), b = node.input(1), y = node.output();
  const std::int64_t rank_a = coupling.rank(a), rank_b = coupling.rank(b), rank_y = coupling.rank(y);
  if (rank_a < 2 || rank_b < 2) {
    for (const ValueId value : {a, b, y}) coupling.pin_all(value, "a product with a vector");
    return;
  }
  link_batch(coupling, a, y);
  link_batch(coupling, b, y);
  coupling.link(a, rank_a - 2, y, rank_y - 2);
  coupling.link(b, rank_b - 1, y, rank_y - 1);
  coupling.link(a, rank_a - 1, b, rank_b - 2);
  coupling.set_role(b, rank_b - 2, id, 1, Role::Consumes);
  coupling.set_role(b, rank_b - 1, id, 1, Role::Produces);
  coupling.set_role(a, rank_a - 1, id, 0, Role::Consumes);
  coupling.set_role(a, rank_a - 2, id, 0, Role::Produces);
}

}  // namespace

std::span<const CouplingEntry> linear_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::Conv, couple_conv},
      {OpKind::ConvTranspose, couple_conv_transpose},
      {OpKind::Gemm, couple_gemm},
      {OpKind::MatMul, couple_matmul},
  };
  return entries;
}

}  // namespace adze::prune
