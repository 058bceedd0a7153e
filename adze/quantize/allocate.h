#pragma once

#include <cstdint>
#include <vector>

namespace adze::quantize {

/// One way to treat one layer.
struct Choice {
  std::int64_t cost = 0;  ///< bits, bytes, bit operations …: whatever the budget is in
  double damage = 0;
};

struct Allocation {
  std::vector<std::size_t> chosen;  ///< index of the choice, by layer; empty: nothing fits the budget
  std::int64_t cost = 0;
  double damage = 0;
  double bound = 0;  ///< no allocation within the budget has less damage
};

/// One choice for each layer, so that the costs stay within the budget and the damages add up to the least: exact, by
/// dynamic programming over the budget. Costs are counted in units, at most 2^16 of them to the budget and rounded up
/// where they do not divide; then the result is the best of the rounded problem.
Allocation allocate_exactly(const std::vector<std::vector<Choice>>& layers, std::int64_t budget);

/// The same by a Lagrange multiplier on the cost: quick, within one choice of the best, with a lower bound on the
/// damage. What is left of the budget is then spent greedily.
/// Source  Shoham and Gersho, Efficient bit allocation for an arbitrary set of quantizers, 1988
Allocation allocate_by_multiplier(const std::vector<std::vector<Choice>>& layers, std::int64_t budget);

}  // namespace adze::quantize
