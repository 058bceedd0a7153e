#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

/// Pools keep batch and channels; the places that they slide over stay.
void couple_pool(Coupling& coupling, NodeId, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  coupling.link(x, 0, y, 0);
  coupling.link(x, 1, y, 1);
  for (std::int64_t axis = 2; axis < coupling.rank(x); ++axis) {
    coupling.pin(x, axis, "a window goes over it");
    coupling.pin(y, axis, "a window goes over it");
  }
  if (node.output(1) != ValueId::None) {
    coupling.pin_all(x, "places of maxima are counted over all channels");
    coupling.pin_all(node.output(1), "places of maxima are counted over all channels");
  }
}

void couple_resize(Coupling& coupling, NodeId, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  for (std::int64_t axis = 0; axis < coupling.rank(x); ++axis) {
    if (axis < 2 && coupling.rank(x) > 2) {
      coupling.link(x, axis, y, axis);
    } else {
      coupling.pin(x, axis, "resized along it");
      coupling.pin(y, axis, "resized along it");
    }
  }
}

struct Blocks {
  ValueId deep, wide;  ///< with many channels, with many places
  std::int64_t size;
};

/// deep holds size² channels for each of wide: depth-column-row order puts the place first, the other the channel.
void link_blocks(Coupling& coupling, const Blocks& blocks, bool channel_first) {
  const std::int64_t channels = coupling.dim(blocks.wide, 1), places = blocks.size * blocks.size;
  for (const ValueId value : {blocks.deep, blocks.wide}) {
    coupling.pin(value, 2, "moved between places and channels");
    coupling.pin(value, 3, "moved between places and channels");
  }
  if (channels < 1 || coupling.dim(blocks.deep, 1) != channels * places) {
    coupling.pin(blocks.deep, 1, "its size is not known");
    return coupling.pin(blocks.wide, 1, "its size is not known");
  }
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t place = 0; place < places; ++place) {
      const std::int64_t deep = channel_first ? channel * places + place : place * channels + channel;
      coupling.link(blocks.deep, 1, deep, blocks.wide, 1, channel);
    }
  }
}

void couple_depth_to_space(Coupling& coupling, NodeId, const Node& node) {
  coupling.link(node.input(0), 0, node.output(), 0);
  link_blocks(coupling, {node.input(0), node.output(), node.get_int("blocksize")}, node.get_string("mode") == "CRD");
}

void couple_space_to_depth(Coupling& coupling, NodeId, const Node& node) {
  coupling.link(node.input(0), 0, node.output(), 0);
  link_blocks(coupling, {node.output(), node.input(0), node.get_int("blocksize")}, false);
}

}  // namespace

std::span<const CouplingEntry> window_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::AveragePool, couple_pool},
      {OpKind::DepthToSpace, couple_depth_to_space},
      {OpKind::GlobalAveragePool, couple_pool},
      {OpKind::GlobalLpPool, couple_pool},
      {OpKind::GlobalMaxPool, couple_pool},
      {OpKind::LpPool, couple_pool},
      {OpKind::MaxPool, couple_pool},
      {OpKind::Resize, couple_resize},
      {OpKind::SpaceToDepth, couple_space_to_depth},
  };
  return entries;
}

}  // namespace adze::prune
