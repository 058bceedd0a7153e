#include "adze/prune/groups.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace adze::prune {

namespace {

struct Slot {
  AxisOf axis;
  std::int64_t index;
};

/// Slots by unit, those of each unit in order of value, axis and index; units in order of their first slot.
std::vector<std::vector<Slot>> collect_units(const Coupling& coupling) {
  std::unordered_map<std::int32_t, std::size_t> place;
  std::vector<std::vector<Slot>> units;
  for (std::int32_t v = 0; v < coupling.graph().num_values(); ++v) {
    const auto value = static_cast<ValueId>(v);
    for (std::int64_t axis = 0; axis < coupling.rank(value); ++axis) {
      if (coupling.fixed(value, axis)) continue;
      for (std::int64_t index = 0; index < coupling.dim(value, axis); ++index) {
        const std::int32_t unit = coupling.unit(value, axis, index);
        if (coupling.pinned(unit)) continue;
        const auto [entry, is_new] = place.try_emplace(unit, units.size());
        if (is_new) units.emplace_back();
        units[entry->second].push_back({{value, axis}, index});
      }
    }
  }
  return units;
}

/// The axes of a unit and how many indices of each.
std::vector<std::pair<AxisOf, std::int64_t>> signature(const std::vector<Slot>& unit) {
  std::vector<std::pair<AxisOf, std::int64_t>> axes;
  for (const Slot& slot : unit) {
    if (axes.empty() || axes.back().first != slot.axis) axes.emplace_back(slot.axis, 0);
    ++axes.back().second;
  }
  return axes;
}

Group make_group(const Coupling& coupling, const std::vector<const std::vector<Slot>*>& units) {
  Group group;
  group.size = static_cast<std::int64_t>(units.size());
  for (const auto& [axis, count] : signature(*units.front())) {
    Member member;
    member.value = axis.value;
    member.axis = axis.axis;
    member.constant = coupling.graph().constant(axis.value) != nullptr;
    const auto roles = coupling.roles(axis);
    member.roles.assign(roles.begin(), roles.end());
    member.per_unit = count;
    group.members.push_back(std::move(member));
  }
  for (const std::vector<Slot>* unit : units) {
    std::size_t member = 0;
    for (const Slot& slot : *unit) {
      while (AxisOf{group.members[member].value, group.members[member].axis} != slot.axis) ++member;
      group.members[member].indices.push_back(slot.index);
    }
  }
  const Slot& first = units.front()->front();
  group.inexact = coupling.inexact_reason(coupling.unit(first.axis.value, first.axis.axis, first.index));
  return group;
}

bool has_role(const Group& group, Role role) {
  return std::any_of(group.members.begin(), group.members.end(), [&](const Member& member) {
    return std::any_of(member.roles.begin(), member.roles.end(), [&](const RoleEntry& r) { return r.role == role; });
  });
}

/// The first node in graph order that produces the group.
NodeId producing_node(const Group& group, const std::map<NodeId, std::int64_t>& position) {
  NodeId best = NodeId::None;
  for (const Member& member : group.members) {
    for (const RoleEntry& role : member.roles) {
      if (role.role != Role::Produces) continue;
      if (best == NodeId::None || position.at(role.node) < position.at(best)) best = role.node;
    }
  }
  return best;
}

/// Every axis must keep at least one index whatever is removed of one group.
bool leaves_something(const Coupling& coupling, const Group& group) {
  return std::all_of(group.members.begin(), group.members.end(), [&](const Member& member) {
    return static_cast<std::int64_t>(member.per_unit) < coupling.dim(member.value, member.axis);
  });
}

std::vector<FixedAxis> fixed_axes(const Coupling& coupling) {
  std::vector<FixedAxis> fixed;
  for (std::int32_t v = 0; v < coupling.graph().num_values(); ++v) {
    const auto value = static_cast<ValueId>(v);
    for (std::int64_t axis = 0; axis < coupling.rank(value); ++axis) {
      if (coupling.dim(value, axis) < 2) continue;
      for (const RoleEntry& role : coupling.roles({value, axis})) {
        const std::int32_t unit = coupling.unit(value, axis, 0);
        if (role.role != Role::Produces || unit < 0 || !coupling.pinned(unit)) continue;
        if (coupling.graph().constant(value) == nullptr) continue;
        fixed.push_back({value, axis, role.node, std::string(coupling.pin_reason(unit))});
      }
    }
  }
  return fixed;
}

}  // namespace

Groups find_groups(const Graph& graph) {
  const Coupling coupling = couple(graph);
  const auto units = collect_units(coupling);
  std::map<std::vector<std::pair<AxisOf, std::int64_t>>, std::vector<const std::vector<Slot>*>> by_signature;
  for (const auto& unit : units) by_signature[signature(unit)].push_back(&unit);
  std::map<NodeId, std::int64_t> position;
  for (const NodeId id : topological_order(graph)) position.emplace(id, static_cast<std::int64_t>(position.size()));
  std::vector<std::pair<std::int64_t, Group>> found;
  for (const auto& [axes, members] : by_signature) {
    Group group = make_group(coupling, members);
    if (group.size < 2 || !has_role(group, Role::Produces) || !has_role(group, Role::Consumes)) continue;
    if (!leaves_something(coupling, group)) continue;
    const NodeId producer = producing_node(group, position);
    group.name = graph.node(producer).name;
    found.emplace_back(position.at(producer), std::move(group));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Groups result;
  for (auto& [place, group] : found) result.groups.push_back(std::move(group));
  result.fixed = fixed_axes(coupling);
  return result;
}

}  // namespace adze::prune
