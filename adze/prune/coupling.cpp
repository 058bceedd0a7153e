#include "adze/prune/coupling.h"

#include <limits>

namespace adze::prune {

namespace {

std::size_t num_values_of(const Graph& graph) {
  return static_cast<std::size_t>(graph.num_values());
}

}  // namespace

Coupling::Coupling(const Graph& graph) : graph_(graph) {
  std::int64_t slots = 0;
  first_axis_.assign(num_values_of(graph), -1);
  end_axis_.assign(num_values_of(graph), -1);
  for (std::size_t v = 0; v < first_axis_.size(); ++v) {
    const Value& value = graph.value(static_cast<ValueId>(v));
    if (!value.constant && (!value.type.is_tensor() || !value.type.shape)) continue;
    first_axis_[v] = static_cast<std::int32_t>(dims_.size());
    const SymbolicShape shape = value.constant ? symbolic(value.constant->shape()) : *value.type.shape;
    for (const Dim& dim : shape) {
      const bool usable = dim.is_known() && slots + dim.value < std::numeric_limits<std::int32_t>::max();
      dims_.push_back(usable ? dim.value : -1);
      first_slot_.push_back(usable ? static_cast<std::int32_t>(slots) : -1);
      if (usable) slots += dim.value;
    }
    end_axis_[v] = static_cast<std::int32_t>(dims_.size());
  }
  parent_.resize(static_cast<std::size_t>(slots));
  for (std::size_t i = 0; i < parent_.size(); ++i) parent_[i] = static_cast<std::int32_t>(i);
  pin_.resize(parent_.size());
  inexact_.resize(parent_.size());
}

std::span<const std::int64_t> Coupling::dims(ValueId value) const {
  const std::int32_t first = first_axis(value);
  if (first < 0) return {};
  const std::int32_t end = end_axis_[static_cast<std::size_t>(value)];
  return std::span(dims_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first));
}

std::int32_t Coupling::slot(ValueId value, std::int64_t axis) const {
  return first_slot_[static_cast<std::size_t>(first_axis(value) + axis)];
}

std::int32_t Coupling::root(std::int32_t slot) const {
  while (parent_[static_cast<std::size_t>(slot)] != slot) {
    auto& parent = parent_[static_cast<std::size_t>(slot)];
    parent = parent_[static_cast<std::size_t>(parent)];
    slot = parent;
  }
  return slot;
}

void Coupling::unite(std::int32_t a, std::int32_t b) {
  a = root(a);
  b = root(b);
  if (a == b) return;
  if (a > b) std::swap(a, b);
  parent_[static_cast<std::size_t>(b)] = a;
  const auto keep_first = [&](std::vector<std::string_view>& reasons) {
    std::string_view& kept = reasons[static_cast<std::size_t>(a)];
    if (kept.empty()) kept = reasons[static_cast<std::size_t>(b)];
  };
  keep_first(pin_);
  keep_first(inexact_);
}

void Coupling::link(ValueId a, std::int64_t axis_a, ValueId b, std::int64_t axis_b) {
  const std::int64_t size_a = dim(a, axis_a), size_b = dim(b, axis_b);
  if (size_a != size_b) {
    if (size_a == 1 || size_b == 1) return;
    pin(a, axis_a, "its size is not known everywhere");
    pin(b, axis_b, "its size is not known everywhere");
    return;
  }
  const std::int32_t first_a = slot(a, axis_a), first_b = slot(b, axis_b);
  if (first_a < 0) return;
  for (std::int32_t i = 0; i < size_a; ++i) unite(first_a + i, first_b + i);
}

void Coupling::link(ValueId a, std::int64_t axis_a, std::int64_t index_a, ValueId b, std::int64_t axis_b,
                    std::int64_t index_b) {
  unite(slot(a, axis_a) + static_cast<std::int32_t>(index_a), slot(b, axis_b) + static_cast<std::int32_t>(index_b));
}

void Coupling::link_all(ValueId a, ValueId b) {
  if (!known(a) || !known(b) || rank(a) != rank(b)) {
    pin_all(a, "a shape is not known");
    pin_all(b, "a shape is not known");
    return;
  }
  for (std::int64_t axis = 0; axis < rank(a); ++axis) link(a, axis, b, axis);
}

void Coupling::pin(ValueId value, std::int64_t axis, std::string_view why) {
  const std::int32_t first = slot(value, axis);
  if (first < 0) return;
  for (std::int32_t i = 0; i < dim(value, axis); ++i) {
    std::string_view& reason = pin_[static_cast<std::size_t>(root(first + i))];
    if (reason.empty()) reason = why;
  }
}

void Coupling::pin_all(ValueId value, std::string_view why) {
  if (value == ValueId::None || !known(value)) return;
  for (std::int64_t axis = 0; axis < rank(value); ++axis) pin(value, axis, why);
}

bool Coupling::fixed(ValueId value, std::int64_t axis) const {
  const std::int32_t first = slot(value, axis);
  if (first < 0 || dim(value, axis) < 2) return true;
  for (std::int32_t i = 0; i < dim(value, axis); ++i) {
    if (!pinned(root(first + i))) return false;
  }
  return true;
}

void Coupling::note_inexact(ValueId value, std::int64_t axis, std::string_view why) {
  const std::int32_t first = slot(value, axis);
  if (first < 0) return;
  for (std::int32_t i = 0; i < dim(value, axis); ++i) {
    std::string_view& reason = inexact_[static_cast<std::size_t>(root(first + i))];
    if (reason.empty()) reason = why;
  }
}

void Coupling::set_role(ValueId value, std::int64_t axis, NodeId node, std::size_t input, Role role) {
  roles_[{value, axis}].push_back({node, input, role});
}

std::int32_t Coupling::unit(ValueId value, std::int64_t axis, std::int64_t index) const {
  const std::int32_t first = slot(value, axis);
  return first < 0 ? -1 : root(first + static_cast<std::int32_t>(index));
}

std::span<const RoleEntry> Coupling::roles(AxisOf axis) const {
  const auto found = roles_.find(axis);
  return found == roles_.end() ? std::span<const RoleEntry>{} : std::span<const RoleEntry>(found->second);
}

}  // namespace adze::prune
