#pragma once

#include <string_view>
#include <vector>

namespace adze {

/// An einsum equation, parsed. A label is a letter's character code, or ellipsis_label - k for the dimension that an
/// ellipsis stands for, the k-th from the right (k = 0, 1 …).
struct EinsumEquation {
  std::vector<std::vector<int>> inputs;
  std::vector<int> output;
};

inline constexpr int ellipsis_label = -1;

/// Parses "ij,jk->ik", "...ii->...i", "ij,jk" (then the output is the ellipsis and the labels that occur once, in
/// alphabetical order). ranks holds the rank of each operand. Throws ModelError saying what is wrong.
EinsumEquation parse_einsum(std::string_view equation, const std::vector<std::size_t>& ranks);

}  // namespace adze
