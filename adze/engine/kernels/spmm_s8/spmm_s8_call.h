#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

inline constexpr std::int64_t spmm_s8_rows = 32;  ///< pixels of one call at most

/// Sums of some rows (pixels) of bytes with sparse weights, for all columns (output channels) at once:
///
///   acc[r, j] = bias[j] + sum over the weights kept for j of rows[r][offsets[s] + i] * w
///   y[r * y_stride + j] = finish(acc[r, j])          (low byte)
///
/// Columns come in blocks of `block` (1 or 8) neighbours that keep the same inputs, in quads of any four inputs: quad q
/// of block b, starts[b] <= q < starts[b + 1], reads inputs indices[4 q + i] = s * depth + i and holds block × 4
/// weights, [column][i]; what fills the last quad up has the weight 0. The rows are first turned into a panel with the
/// inputs outermost. 32 bits hold any sum of up to 2^16 products; larger ones wrap, as the reference's do.
struct SpmmS8Call {
  const std::uint8_t* const* rows;
  std::int64_t row_count;  ///< 1 to spmm_s8_rows
  const std::int64_t* offsets;
  std::int64_t segments;
  std::int64_t depth;
  std::int64_t block;
  std::int64_t blocks;
  const std::int32_t* starts;
  const std::int32_t* indices;
  const std::int8_t* values;
  const OutputStage* stage;   ///< of columns, one entry each
  const OutputStage* spread;  ///< the same with each entry 16 times, blocks * block of them, filled up to 4 columns
  std::uint8_t* panel;        ///< room for (segments * depth + 64) * spmm_s8_rows
  std::uint8_t* bytes;        ///< room for (blocks * block + 64) * spmm_s8_rows
  std::uint8_t* y;
  std::int64_t y_stride;
  std::int64_t columns;
};

}  // namespace adze::kernels
