#include <algorithm>
#include <numeric>

#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

/// Neighbouring axes of input and output that hold the same elements: [begin, end) of each.
struct Segment {
  std::int64_t begin_x, end_x, begin_y, end_y;
};

struct Axes {
  ValueId value;
  std::span<const std::int64_t> dims;
};

void pin_range(Coupling& coupling, ValueId value, std::int64_t begin, std::int64_t end) {
  for (std::int64_t axis = begin; axis < end; ++axis) coupling.pin(value, axis, "reshaped together with others");
}

/// The shortest segment that begins at (x, y) and holds equal counts on both sides; empty when there is none.
std::optional<Segment> segment_at(const Axes& x, const Axes& y, std::int64_t begin_x, std::int64_t begin_y,
                                  std::int64_t end_x, std::int64_t end_y) {
  Segment segment{begin_x, begin_x, begin_y, begin_y};
  std::int64_t count_x = 1, count_y = 1;
  const auto take = [](std::span<const std::int64_t> dims, std::int64_t& end, std::int64_t limit, std::int64_t& count) {
    if (end == limit || dims[static_cast<std::size_t>(end)] < 1) return false;
    count *= dims[static_cast<std::size_t>(end++)];
    return true;
  };
  if (!take(x.dims, segment.end_x, end_x, count_x) || !take(y.dims, segment.end_y, end_y, count_y)) return std::nullopt;
  while (count_x != count_y) {
    if (count_x < count_y ? !take(x.dims, segment.end_x, end_x, count_x)
                          : !take(y.dims, segment.end_y, end_y, count_y)) {
      return std::nullopt;
    }
  }
  return segment;
}

/// Coordinate along `axis` of flat position j among dims[begin, end).
std::int64_t coordinate(std::span<const std::int64_t> dims, std::int64_t axis, std::int64_t end, std::int64_t j) {
  for (std::int64_t i = end; --i > axis;) j /= dims[static_cast<std::size_t>(i)];
  return j % dims[static_cast<std::size_t>(axis)];
}

struct Choice {
  std::int64_t axis_x = -1, axis_y = -1;
};

/// How many units remain when coordinates of one axis of x and one of y are linked over all positions.
std::int64_t units_of(const Axes& x, const Axes& y, const Segment& segment, const Choice& choice, std::int64_t count) {
  const std::int64_t size_x = x.dims[static_cast<std::size_t>(choice.axis_x)];
  const std::int64_t size_y = y.dims[static_cast<std::size_t>(choice.axis_y)];
  std::vector<std::int64_t> parent(static_cast<std::size_t>(size_x + size_y));
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::int64_t i) {
    while (parent[static_cast<std::size_t>(i)] != i) i = parent[static_cast<std::size_t>(i)];
    return i;
  };
  std::int64_t units = size_x + size_y;
  for (std::int64_t j = 0; j < count; ++j) {
    const std::int64_t a = root(coordinate(x.dims, choice.axis_x, segment.end_x, j));
    const std::int64_t b = root(size_x + coordinate(y.dims, choice.axis_y, segment.end_y, j));
    if (a == b) continue;
    parent[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
    --units;
  }
  return units;
}

/// The first pair of axes, outermost first, that may still shrink and along which something can go by itself.
Choice choose(const Coupling& coupling, const Axes& x, const Axes& y, const Segment& segment, std::int64_t count) {
  for (std::int64_t axis_x = segment.begin_x; axis_x < segment.end_x; ++axis_x) {
    if (coupling.fixed(x.value, axis_x)) continue;
    for (std::int64_t axis_y = segment.begin_y; axis_y < segment.end_y; ++axis_y) {
      if (coupling.fixed(y.value, axis_y)) continue;
      if (units_of(x, y, segment, {axis_x, axis_y}, count) > 1) return {axis_x, axis_y};
    }
  }
  return {};
}

void link_segment(Coupling& coupling, const Axes& x, const Axes& y, const Segment& segment) {
  if (segment.end_x - segment.begin_x == 1 && segment.end_y - segment.begin_y == 1) {
    return coupling.link(x.value, segment.begin_x, y.value, segment.begin_y);
  }
  std::int64_t count = 1;
  for (std::int64_t axis = segment.begin_x; axis < segment.end_x; ++axis)
    count *= x.dims[static_cast<std::size_t>(axis)];
  const Choice choice = choose(coupling, x, y, segment, count);
  for (std::int64_t axis = segment.begin_x; axis < segment.end_x; ++axis) {
    if (axis != choice.axis_x) coupling.pin(x.value, axis, "reshaped together with others");
  }
  for (std::int64_t axis = segment.begin_y; axis < segment.end_y; ++axis) {
    if (axis != choice.axis_y) coupling.pin(y.value, axis, "reshaped together with others");
  }
  if (choice.axis_x < 0) return;
  for (std::int64_t j = 0; j < count; ++j) {
    coupling.link(x.value, choice.axis_x, coordinate(x.dims, choice.axis_x, segment.end_x, j), y.value, choice.axis_y,
                  coordinate(y.dims, choice.axis_y, segment.end_y, j));
  }
}

/// Axes of size 1 come and go freely; unknown ones must stand opposite each other.
void couple_reshape(Coupling& coupling, NodeId, const Node& node) {
  const Axes x{node.input(0), coupling.dims(node.input(0))}, y{node.output(), coupling.dims(node.output())};
  std::int64_t begin_x = 0, begin_y = 0;
  auto end_x = static_cast<std::int64_t>(x.dims.size()), end_y = static_cast<std::int64_t>(y.dims.size());
  while (begin_x < end_x && begin_y < end_y) {
    const bool unknown_x = x.dims[static_cast<std::size_t>(begin_x)] < 0;
    const bool unknown_y = y.dims[static_cast<std::size_t>(begin_y)] < 0;
    if (unknown_x && unknown_y) {
      ++begin_x;
      ++begin_y;
    } else if (const auto segment = segment_at(x, y, begin_x, begin_y, end_x, end_y)) {
      link_segment(coupling, x, y, *segment);
      begin_x = segment->end_x;
      begin_y = segment->end_y;
    } else {
      break;
    }
  }
  while (end_x > begin_x && end_y > begin_y && x.dims[static_cast<std::size_t>(end_x - 1)] > 0 &&
         x.dims[static_cast<std::size_t>(end_x - 1)] == y.dims[static_cast<std::size_t>(end_y - 1)]) {
    coupling.link(x.value, --end_x, y.value, --end_y);
  }
  pin_range(coupling, x.value, begin_x, end_x);
  pin_range(coupling, y.value, begin_y, end_y);
}

}  // namespace

std::span<const CouplingEntry> reshape_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::Flatten, couple_reshape},
      {OpKind::Reshape, couple_reshape},
      {OpKind::Squeeze, couple_reshape},
      {OpKind::Unsqueeze, couple_reshape},
  };
  return entries;
}

}  // namespace adze::prune
