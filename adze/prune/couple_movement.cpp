#include <algorithm>

#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

void link_others(Coupling& coupling, ValueId x, ValueId y, std::int64_t but_axis) {
  for (std::int64_t axis = 0; axis < coupling.rank(x); ++axis) {
    if (axis != but_axis) coupling.link(x, axis, y, axis);
  }
}

void pin_both(Coupling& coupling, ValueId x, ValueId y, std::int64_t axis, std::string_view why) {
  coupling.pin(x, axis, why);
  coupling.pin(y, axis, why);
}

/// Parts laid one after the other along an axis of the whole.
void link_parts(Coupling& coupling, ValueId whole, std::span<const ValueId> parts, std::int64_t axis) {
  std::int64_t sum = 0;
  bool known = true;
  for (const ValueId part : parts) {
    if (part == ValueId::None) {
      known = false;
      continue;
    }
    link_others(coupling, part, whole, axis);
    known = known && coupling.dim(part, axis) >= 0;
    sum += coupling.dim(part, axis);
  }
  if (!known || sum != coupling.dim(whole, axis)) {
    coupling.pin(whole, axis, "its parts are not all known");
    for (const ValueId part : parts) {
      if (part != ValueId::None) coupling.pin(part, axis, "its neighbours are not all known");
    }
    return;
  }
  std::int64_t begin = 0;
  for (const ValueId part : parts) {
    const std::int64_t size = coupling.dim(part, axis);
    for (std::int64_t i = 0; i < size; ++i) coupling.link(part, axis, i, whole, axis, begin + i);
    begin += size;
  }
}

void couple_concat(Coupling& coupling, NodeId, const Node& node) {
  const std::int64_t axis = normalize_axis(node.get_int("axis"), coupling.rank(node.output()));
  link_parts(coupling, node.output(), node.inputs, axis);
}

void couple_split(Coupling& coupling, NodeId, const Node& node) {
  const std::int64_t axis = normalize_axis(node.get_int("axis", 0), coupling.rank(node.input(0)));
  link_parts(coupling, node.input(0), node.outputs, axis);
}

/// One axis of a Slice whose start is known; step 1.
void link_slice(Coupling& coupling, ValueId x, ValueId y, std::int64_t axis, std::int64_t start) {
  const std::int64_t size_x = coupling.dim(x, axis), size_y = coupling.dim(y, axis);
  if (size_x < 0 || size_y < 0) return pin_both(coupling, x, y, axis, "cut at a place that is not known");
  start = std::clamp<std::int64_t>(start < 0 ? start + size_x : start, 0, size_x);
  if (start + size_y > size_x) return pin_both(coupling, x, y, axis, "cut at a place that is not known");
  for (std::int64_t i = 0; i < size_y; ++i) coupling.link(x, axis, start + i, y, axis, i);
}

void couple_slice(Coupling& coupling, NodeId, const Node& node) {
  const Graph& graph = coupling.graph();
  const ValueId x = node.input(0), y = node.output();
  const Tensor* starts = graph.constant(node.input(1));
  const Tensor* axes = graph.constant(node.input(3));
  const Tensor* steps = graph.constant(node.input(4));
  const bool unknown = starts == nullptr || (node.input(3) != ValueId::None && axes == nullptr) ||
                       (node.input(4) != ValueId::None && steps == nullptr);
  if (unknown) {
    coupling.pin_all(x, "cut at a place that is not known");
    return coupling.pin_all(y, "cut at a place that is not known");
  }
  std::vector<bool> sliced(static_cast<std::size_t>(coupling.rank(x)), false);
  for (std::int64_t i = 0; i < starts->size(); ++i) {
    const std::int64_t axis = axes != nullptr ? normalize_axis(axes->get_int(i), coupling.rank(x)) : i;
    sliced[static_cast<std::size_t>(axis)] = true;
    if (steps != nullptr && steps->get_int(i) != 1) {
      pin_both(coupling, x, y, axis, "cut in steps");
    } else {
      link_slice(coupling, x, y, axis, starts->get_int(i));
    }
  }
  for (std::int64_t axis = 0; axis < coupling.rank(x); ++axis) {
    if (!sliced[static_cast<std::size_t>(axis)]) coupling.link(x, axis, y, axis);
  }
}

void couple_transpose(Coupling& coupling, NodeId, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  std::vector<std::int64_t> order = node.get_ints("perm");
  if (order.empty()) {
    for (std::int64_t axis = coupling.rank(x); axis-- > 0;) order.push_back(axis);
  }
  for (std::size_t i = 0; i < order.size(); ++i) coupling.link(x, order[i], y, static_cast<std::int64_t>(i));
}

/// Rows of a table looked up (embeddings: rows stay), or channels in another order (constant indices: they follow).
void couple_gather(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId x = node.input(0), indices = node.input(1), y = node.output();
  const std::int64_t axis = normalize_axis(node.get_int("axis", 0), coupling.rank(x));
  const std::int64_t extra = coupling.rank(indices) - 1;
  for (std::int64_t i = 0; i < coupling.rank(x); ++i) {
    if (i == axis) continue;
    coupling.link(x, i, y, i < axis ? i : i + extra);
    coupling.set_role(x, i, id, 0, Role::Produces);
  }
  const Tensor* order = coupling.graph().constant(indices);
  if (order == nullptr || order->rank() != 1 || coupling.dim(x, axis) < 0 || coupling.dim(y, axis) < 0) {
    coupling.pin(x, axis, "looked up by index");
    for (std::int64_t i = 0; i <= extra; ++i) {
      coupling.pin(y, axis + i, "its indices are looked up");
      coupling.pin(indices, i, "its indices are looked up");
    }
    return;
  }
  const std::int64_t size = coupling.dim(x, axis);
  for (std::int64_t i = 0; i < order->size(); ++i) {
    const std::int64_t from = order->get_int(i);
    coupling.link(x, axis, from < 0 ? from + size : from, y, axis, i);
  }
}

void couple_pad(Coupling& coupling, NodeId, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  const Tensor* pads = coupling.graph().constant(node.input(1));
  if (pads == nullptr || node.input(3) != ValueId::None || pads->size() != 2 * coupling.rank(x)) {
    coupling.pin_all(x, "padded by an amount that is not known");
    return coupling.pin_all(y, "padded by an amount that is not known");
  }
  for (std::int64_t axis = 0; axis < coupling.rank(x); ++axis) {
    if (pads->get_int(axis) == 0 && pads->get_int(axis + coupling.rank(x)) == 0) {
      coupling.link(x, axis, y, axis);
    } else {
      pin_both(coupling, x, y, axis, "padded");
    }
  }
}

void couple_expand(Coupling& coupling, NodeId, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  const std::int64_t missing = coupling.rank(y) - coupling.rank(x);
  for (std::int64_t axis = 0; axis < coupling.rank(x); ++axis) coupling.link(x, axis, y, axis + missing);
  coupling.pin_all(node.input(1), "holds a shape");
}

/// What asks for a shape counts on the sizes that it finds.
void couple_shape(Coupling& coupling, NodeId, const Node& node) {
  coupling.pin_all(node.input(0), "the network computes with its shape");
}

}  // namespace

std::span<const CouplingEntry> movement_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::Concat, couple_concat}, {OpKind::Expand, couple_expand},       {OpKind::Gather, couple_gather},
      {OpKind::Pad, couple_pad},       {OpKind::Shape, couple_shape},         {OpKind::Slice, couple_slice},
      {OpKind::Split, couple_split},   {OpKind::Transpose, couple_transpose},
  };
  return entries;
}

}  // namespace adze::prune
