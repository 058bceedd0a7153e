#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

/// One parameter a channel, at axis 1.
void link_channels(Coupling& coupling, NodeId id, const Node& node) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ValueId::None) continue;
    coupling.link(node.inputs[i], 0, node.output(), 1);
    coupling.set_role(node.inputs[i], 0, id, i, Role::PerChannel);
  }
}

void couple_batch_normalization(Coupling& coupling, NodeId id, const Node& node) {
  coupling.link_all(node.input(0), node.output());
  if (coupling.rank(node.output()) > 1) link_channels(coupling, id, node);
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != ValueId::None) coupling.pin_all(node.outputs[i], "statistics are read");
  }
}

void couple_instance_normalization(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  coupling.link_all(x, y);
  for (std::int64_t axis = 2; axis < coupling.rank(x); ++axis) coupling.pin(x, axis, "normalized along it");
  link_channels(coupling, id, node);
}

/// The channels of a group are normalized together: groups go as a whole.
void couple_group_normalization(Coupling& coupling, NodeId id, const Node& node) {
  couple_instance_normalization(coupling, id, node);
  const ValueId y = node.output();
  const std::int64_t groups = node.get_int("num_groups"), channels = coupling.dim(y, 1);
  if (channels < 0 || groups < 1 || channels % groups != 0) return coupling.pin(y, 1, "its groups are not known");
  for (std::int64_t i = 0; i < channels; ++i)
    coupling.link(y, 1, i, y, 1, i / (channels / groups) * (channels / groups));
}

void couple_layer_normalization(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  coupling.link_all(x, y);
  const std::int64_t first = normalize_axis(node.get_int("axis", -1), coupling.rank(x));
  for (std::int64_t axis = first; axis < coupling.rank(x); ++axis) {
    coupling.note_inexact(x, axis, "layer norm averages over it");
  }
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const ValueId parameter = node.inputs[i];
    if (parameter == ValueId::None) continue;
    const std::int64_t missing = coupling.rank(x) - coupling.rank(parameter);
    for (std::int64_t axis = 0; axis < coupling.rank(parameter); ++axis) {
      coupling.link(parameter, axis, x, axis + missing);
      coupling.set_role(parameter, axis, id, i, Role::PerChannel);
    }
  }
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != ValueId::None) coupling.pin_all(node.outputs[i], "statistics are read");
  }
}

void couple_lrn(Coupling& coupling, NodeId, const Node& node) {
  coupling.link_all(node.input(0), node.output());
  for (std::int64_t axis = 1; axis < coupling.rank(node.input(0)); ++axis) {
    coupling.pin(node.input(0), axis, "normalized with its neighbours");
  }
}

}  // namespace

std::span<const CouplingEntry> normalization_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::BatchNormalization, couple_batch_normalization},
      {OpKind::GroupNormalization, couple_group_normalization},
      {OpKind::InstanceNormalization, couple_instance_normalization},
      {OpKind::LRN, couple_lrn},
      {OpKind::LayerNormalization, couple_layer_normalization},
  };
  return entries;
}

}  // namespace adze::prune
