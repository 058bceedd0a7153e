#pragma once

#include <cstdint>
#include <vector>

#include "adze/emit/c/layer.h"
#include "adze/emit/c/overlap.h"
#include "adze/emit/c/pack.h"

namespace adze::emit {

/// The biases with the activations' zero point times the weights taken in, wrapping as all sums do.
std::vector<std::int32_t> folded_biases(const LayerWriter& writer, const Rows& rows, std::int32_t zero_point);

/// What the sums of each row can be, over all activations.
std::vector<SumRange> sum_ranges(const Rows& rows, const std::vector<std::int32_t>& biases);

/// Writes a convolution or product for little flash: one kernel for all, eight bytes a channel, weights in the shortest
/// of several forms. False, and nothing is written, where a number does not fit the small tables.
bool write_small(LayerWriter& writer, const Rows& rows, const WindowWalk& walk, std::int64_t batch,
                 std::int64_t groups);

}  // namespace adze::emit
