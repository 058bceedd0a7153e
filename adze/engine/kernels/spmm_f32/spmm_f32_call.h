#pragma once

#include <cstdint>

namespace adze::kernels {

/// Sums of some rows (pixels) with sparse weights, for all columns (output channels) at once:
///
///   y[r, j] = clamp(bias[j] + sum over the weights kept for j of rows[r][offsets[s] + i] * w, low, high)
///
/// added in the order of the weights. Columns come in blocks of `block` (1 or 8) neighbours that keep the same inputs,
/// and the inputs in slices that a cache can hold: entry e of block b in slice p, starts[p * blocks + b] <= e <
/// starts[p * blocks + b + 1], reads input indices[e] = s * depth + i and holds `block` weights. Slices are only for
/// block 1, with vectors. The rows are first turned into a panel with the inputs outermost, so that a vector holds one
/// input of many rows.
struct SpmmF32Call {
  const float* const* rows;
  std::int64_t row_count;  ///< 1 to vectors * lanes
  std::int64_t vectors;    ///< of rows: 1 to the most for the block; 0: none, one row after the other
  const std::int64_t* offsets;
  std::int64_t segments;
  std::int64_t depth;
  std::int64_t block;
  std::int64_t blocks;
  std::int64_t slices;
  const std::int32_t* starts;
  const std::int32_t* indices;
  const float* values;
  const float* bias;  ///< blocks * block of them
  float low, high;
  float* panel;  ///< room for (segments * depth + 16) * vectors * lanes, aligned to 64 bytes
  float* sums;   ///< room for (blocks * block + 16) * vectors * lanes, aligned to 64 bytes
  float* y;
  std::int64_t y_stride;
  std::int64_t columns;
};

}  // namespace adze::kernels
