#include "adze/prune/remove.h"

#include <algorithm>
#include <cstring>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "adze/prune/repair.h"

namespace adze::prune {

namespace {

void check(const Groups& groups, std::span<const Selection> selections) {
  for (const Selection& selection : selections) {
    const Group& group = groups.groups.at(selection.group);
    std::vector<std::int64_t> units = selection.units;
    std::sort(units.begin(), units.end());
    if (std::adjacent_find(units.begin(), units.end()) != units.end()) {
      throw InternalError(cat("remove_units: a unit of ", group.name, " is selected twice"));
    }
    if (!units.empty() && (units.front() < 0 || units.back() >= group.size)) {
      throw InternalError(cat("remove_units: ", group.name, " has no such unit"));
    }
    if (static_cast<std::int64_t>(units.size()) >= group.size) {
      throw UsageError(cat("all ", group.size, " channels of ", group.name, " would go"), "keep at least one");
    }
  }
}

Removed removed_indices(const Groups& groups, std::span<const Selection> selections) {
  Removed removed;
  for (const Selection& selection : selections) {
    if (selection.units.empty()) continue;
    for (const Member& member : groups.groups.at(selection.group).members) {
      auto& indices = removed[{member.value, member.axis}];
      for (const std::int64_t unit : selection.units) {
        const auto of = member.of(unit);
        indices.insert(indices.end(), of.begin(), of.end());
      }
    }
  }
  for (auto& [axis, indices] : removed) std::sort(indices.begin(), indices.end());
  return removed;
}

std::size_t element_bytes(const Tensor& tensor) {
  const std::int64_t bytes = storage_bytes(tensor.dtype(), 8) / 8;
  if (bytes * 8 != storage_bytes(tensor.dtype(), 8) || storage_bytes(tensor.dtype(), 1) != bytes) {
    throw UnsupportedError("cutting tensors with packed elements");
  }
  return static_cast<std::size_t>(bytes);
}

/// rows × columns × inner bytes; calls visit with the byte ranges of the given indices along the middle.
void zero_indices(Tensor& tensor, std::int64_t axis, std::span<const std::int64_t> indices) {
  const Shape strides = row_major_strides(tensor.shape());
  const std::size_t inner = static_cast<std::size_t>(strides[static_cast<std::size_t>(axis)]) * element_bytes(tensor);
  const auto columns = static_cast<std::size_t>(tensor.dim(axis));
  const auto bytes = tensor.mutable_bytes();
  for (std::size_t row = 0; row * columns * inner < bytes.size(); ++row) {
    for (const std::int64_t i : indices) {
      std::memset(bytes.data() + (row * columns + static_cast<std::size_t>(i)) * inner, 0, inner);
    }
  }
}

bool is_weight_axis(const Member& member) {
  return std::any_of(member.roles.begin(), member.roles.end(), [](const RoleEntry& entry) {
    return entry.role == Role::Produces || entry.role == Role::Consumes;
  });
}

void shrink_type(Value& value, std::int64_t axis, std::int64_t by) {
  if (value.type.shape) (*value.type.shape)[static_cast<std::size_t>(axis)].value -= by;
}

}  // namespace

Tensor without_indices(const Tensor& tensor, std::int64_t axis, std::span<const std::int64_t> indices) {
  Shape shape = tensor.shape();
  shape[static_cast<std::size_t>(axis)] -= static_cast<std::int64_t>(indices.size());
  Tensor result(tensor.dtype(), shape);
  const std::size_t inner =
      static_cast<std::size_t>(row_major_strides(tensor.shape())[static_cast<std::size_t>(axis)]) *
      element_bytes(tensor);
  const auto from = tensor.bytes();
  std::byte* to = result.mutable_bytes().data();
  const std::int64_t columns = tensor.dim(axis);
  const std::byte* end = from.data() + from.size();
  for (const std::byte* row = from.data(); row < end; row += inner * static_cast<std::size_t>(columns)) {
    std::size_t next = 0;
    for (std::int64_t i = 0; i < columns; ++i) {
      if (next < indices.size() && indices[next] == i) {
        ++next;
        continue;
      }
      std::memcpy(to, row + static_cast<std::size_t>(i) * inner, inner);
      to += inner;
    }
  }
  return result;
}

Graph remove_units(Graph graph, const Groups& groups, std::span<const Selection> selections) {
  check(groups, selections);
  const Removed removed = removed_indices(groups, selections);
  for (const NodeId id : graph.node_ids()) repair_node(graph, id, removed);
  for (const auto& [axis, indices] : removed) {
    Value& value = graph.value(axis.value);
    if (value.constant) value.constant = without_indices(*value.constant, axis.axis, indices);
    shrink_type(value, axis.axis, static_cast<std::int64_t>(indices.size()));
    value.dims.reset();
  }
  infer_types(graph);
  verify(graph);
  return graph;
}

Graph zero_units(Graph graph, const Groups& groups, std::span<const Selection> selections) {
  check(groups, selections);
  for (const Selection& selection : selections) {
    for (const Member& member : groups.groups.at(selection.group).members) {
      if (!member.constant || !is_weight_axis(member)) continue;
      std::vector<std::int64_t> indices;
      for (const std::int64_t unit : selection.units) {
        const auto of = member.of(unit);
        indices.insert(indices.end(), of.begin(), of.end());
      }
      zero_indices(*graph.value(member.value).constant, member.axis, indices);
    }
  }
  return graph;
}

}  // namespace adze::prune
