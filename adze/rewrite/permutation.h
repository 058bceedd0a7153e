#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// As Transpose's perm: axis i of the result is axis perm[i] of the input.
using Permutation = std::vector<std::int64_t>;

/// The node's permutation, the default (all axes reversed) filled in; nothing when the rank is unknown.
std::optional<Permutation> permutation_of(const RuleContext& context, const Node& transpose);
bool is_identity(const Permutation& perm);
/// First p, then q.
Permutation composed(const Permutation& p, const Permutation& q);
Permutation inverse(const Permutation& perm);
/// The axis of the input that becomes this axis of the result (negative ones counted from the end).
std::int64_t mapped_axis(const Permutation& perm, std::int64_t axis);
/// What remains of the permutation when these axes of its input are dropped.
Permutation without_axes(const Permutation& perm, const std::vector<std::int64_t>& axes);

}  // namespace adze::rewrite
