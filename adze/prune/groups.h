#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adze/prune/coupling.h"

namespace adze::prune {

/// One axis of one value that a group touches, and which of its indices belong to which unit.
struct Member {
  ValueId value = ValueId::None;
  std::int64_t axis = 0;
  bool constant = false;
  std::vector<RoleEntry> roles;       ///< what readers make of the axis
  std::int64_t per_unit = 1;          ///< indices of one unit
  std::vector<std::int64_t> indices;  ///< units × per_unit, ascending in each unit

  std::span<const std::int64_t> of(std::int64_t unit) const {
    return std::span(indices).subspan(static_cast<std::size_t>(unit * per_unit), static_cast<std::size_t>(per_unit));
  }
};

/// Units (channels, neurons, heads, hidden units) that touch the same axes: removing any of them leaves a graph that
/// computes the same, with smaller tensors.
struct Group {
  std::string name;  ///< of the first node whose weights produce it
  std::int64_t size = 0;
  std::vector<Member> members;  ///< by value and axis
  std::string inexact;          ///< why removal differs from zeroing; empty: it does not
};

/// An axis of weights that cannot shrink, and why.
struct FixedAxis {
  ValueId value = ValueId::None;
  std::int64_t axis = 0;
  NodeId node = NodeId::None;
  std::string why;
};

struct Groups {
  std::vector<Group> groups;     ///< in graph order of the producing node
  std::vector<FixedAxis> fixed;  ///< producing axes of weights outside all groups
};

/// Reads from the graph itself which channels must go together. Only what some weights produce and other weights
/// consume is a group; what touches inputs or outputs of the network, or an operator without rule, is not.
/// Source  the idea: Fang et al., DepGraph, arXiv:2301.12900; here per index, so that no layer kind is special.
Groups find_groups(const Graph& graph);

}  // namespace adze::prune
