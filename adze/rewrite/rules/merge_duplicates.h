#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  two nodes of one operator with the same attributes that read the same values (or equal constants)
/// After   one of them
/// When    the operator is a function of its inputs (no random or control operators)
/// Exact
std::vector<Rule> merge_duplicates_rules();

/// Before  equal constants of 1 KiB or more
/// After   one of them; smaller ones stay apart, so that methods can change a bias of one layer alone
/// Exact
int merge_equal_constants(Graph& graph);

}  // namespace adze::rewrite
