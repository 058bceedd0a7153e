#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/prune/layers.h"

namespace adze::prune {

/// Which weights of a matrix stay or go together.
struct Pattern {
  enum class Kind : std::uint8_t {
    Weights,  ///< each by itself
    NM,       ///< in every `columns` neighbours along a row exactly `keep` stay
    Block,    ///< rows × columns go as one; what is left over at the edges is a smaller block
  };
  Kind kind = Kind::Weights;
  std::int64_t rows = 1, columns = 1;
  std::int64_t keep = 0;
};

/// "weights", "rows" (all that makes one output), "2:4" (keep 2 of 4), "block=8x1", "block=1x4". Throws UsageError.
Pattern parse_pattern(std::string_view text);
std::string pattern_text(const Pattern& pattern);

/// One byte a weight, rows × columns: 1 stays.
using Mask = std::vector<std::uint8_t>;

/// The share `ratio` of the weights with the smallest scores goes (Weights, Block); N:M ignores ratio.
Mask choose_mask(std::span<const double> scores, const Layer& layer, const Pattern& pattern, double ratio);

/// One threshold for all layers; no layer loses more than max_ratio of its weights. scores by layer.
std::vector<Mask> choose_masks(const std::vector<std::vector<double>>& scores, std::span<const Layer> layers,
                               const Pattern& pattern, double ratio, double max_ratio);

/// Sets weights to 0 where the mask is 0.
void apply_mask(Graph& graph, const Layer& layer, const Mask& mask);

/// Share of weights that are 0.
double zero_share(const Graph& graph, const Layer& layer);

}  // namespace adze::prune
