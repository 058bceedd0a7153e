#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::prune {

/// What an axis of a value means to the node that reads (or computes) it.
enum class Role : std::uint8_t {
  Produces,    ///< weights: one slice computes one channel of the output
  PerChannel,  ///< bias, scale, shift: one element a channel
  Consumes,    ///< weights: one slice is multiplied with one channel of the input
};

struct RoleEntry {
  NodeId node = NodeId::None;
  std::size_t input = 0;
  Role role{};
};

/// An axis of a value.
struct AxisOf {
  ValueId value = ValueId::None;
  std::int64_t axis = 0;
  auto operator<=>(const AxisOf&) const = default;
};

/// While a graph is read: which single indices of which axes of which values must stay or go together.
///
/// Every index along every axis of known size is a slot; the rules of the operators link slots, and what is linked in
/// the end is one unit of pruning, with its index map written in the slots. That makes concat, split, slice, flatten
/// and shuffles exact without a special case: they link other pairs of slots.
class Coupling {
 public:
  explicit Coupling(const Graph& graph);

  const Graph& graph() const { return graph_; }
  bool known(ValueId value) const { return first_axis(value) >= 0; }
  std::int64_t rank(ValueId value) const { return static_cast<std::int64_t>(dims(value).size()); }
  /// The sizes of a value's axes, -1 where not known; empty for one of unknown rank.
  std::span<const std::int64_t> dims(ValueId value) const;
  std::int64_t dim(ValueId value, std::int64_t axis) const { return dims(value)[static_cast<std::size_t>(axis)]; }

  /// Index for index the same. An axis of size 1 against a longer one (broadcasting) links nothing; sizes that differ
  /// otherwise, or of which one is not known, stay whole.
  void link(ValueId a, std::int64_t axis_a, ValueId b, std::int64_t axis_b);
  void link(ValueId a, std::int64_t axis_a, std::int64_t index_a, ValueId b, std::int64_t axis_b, std::int64_t index_b);
  /// All axes of two values of equal rank.
  void link_all(ValueId a, ValueId b);
  /// No index of this axis may go. The first reason stays.
  void pin(ValueId value, std::int64_t axis, std::string_view why);
  void pin_all(ValueId value, std::string_view why);
  /// Is the whole axis pinned, or of size 1, or unknown?
  bool fixed(ValueId value, std::int64_t axis) const;
  /// Removing indices of this axis is usual, but changes what the rest computes (layer norm).
  void note_inexact(ValueId value, std::int64_t axis, std::string_view why);
  void set_role(ValueId value, std::int64_t axis, NodeId node, std::size_t input, Role role);

  /// A name for the class of a slot, equal for linked ones; -1 where the axis is not known.
  std::int32_t unit(ValueId value, std::int64_t axis, std::int64_t index) const;
  bool pinned(std::int32_t unit) const { return !pin_reason(unit).empty(); }
  std::string_view pin_reason(std::int32_t unit) const { return pin_[static_cast<std::size_t>(unit)]; }
  std::string_view inexact_reason(std::int32_t unit) const { return inexact_[static_cast<std::size_t>(unit)]; }
  std::span<const RoleEntry> roles(AxisOf axis) const;

 private:
  std::int32_t first_axis(ValueId value) const { return first_axis_[static_cast<std::size_t>(value)]; }
  std::int32_t slot(ValueId value, std::int64_t axis) const;
  std::int32_t root(std::int32_t slot) const;
  void unite(std::int32_t a, std::int32_t b);

  const Graph& graph_;
  std::vector<std::int32_t> first_axis_;  ///< a value: where its axes begin in dims_ and first_slot_, -1 unknown
  std::vector<std::int32_t> end_axis_;
  std::vector<std::int64_t> dims_;
  std::vector<std::int32_t> first_slot_;  ///< an axis: its first slot, -1 when its size is not known
  mutable std::vector<std::int32_t> parent_;
  std::vector<std::string_view> pin_, inexact_;  ///< by root; reasons are literals
  std::map<AxisOf, std::vector<RoleEntry>> roles_;
};

/// How one operator couples its inputs and outputs.
using CouplingRule = void (*)(Coupling&, NodeId, const Node&);

struct CouplingEntry {
  OpKind kind;
  CouplingRule rule;
};

// One table per family, in couple_<family>.cpp.
std::span<const CouplingEntry> elementwise_coupling();
std::span<const CouplingEntry> linear_coupling();
std::span<const CouplingEntry> movement_coupling();
std::span<const CouplingEntry> normalization_coupling();
std::span<const CouplingEntry> recurrent_coupling();
std::span<const CouplingEntry> reduction_coupling();
std::span<const CouplingEntry> window_coupling();
/// Reshape, Flatten, Squeeze, Unsqueeze: applied last, because which factor of an axis may go depends on the rest.
std::span<const CouplingEntry> reshape_coupling();

/// The whole graph read. Operators without a rule, and what enters and leaves the graph, stay as they are.
Coupling couple(const Graph& graph);

}  // namespace adze::prune
