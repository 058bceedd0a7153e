#pragma once

#include <cstdint>

namespace adze::kernels {

/// Products of bf16 numbers, in pairs of 4 bytes, summed in f32: some rows (pixels) with all columns (output channels)
/// of packed weights.
///
///   y[r, j] = clamp(bias[j] + sum over pairs p and i in 0, 1 of x[r][2 p + i] * w[j, p, i])
///
/// x: rows as Bf16RowsCall makes them. weights: [column block of 16][pair][16 columns][2], zero where there is no
/// column or number. The order of a sum depends on the number of pairs alone. Denormal numbers count as zero.
struct DenseBf16Call {
  const std::uint16_t* x;
  std::int64_t x_stride;  ///< numbers from one row to the next, even
  std::int64_t row_count;
  std::int64_t pairs;
  const std::uint16_t* weights;
  std::int64_t columns;
  const float* bias;  ///< a multiple of 16; null: zeros
  float low, high;
  float* y;
  std::int64_t y_stride;
};

/// Rows of f32 to rows of bf16, rounded to nearest even: segments of depth numbers each at row + offset, one after the
/// other, an odd one followed by a zero, and zeros up to `pairs` pairs.
struct Bf16RowsCall {
  const float* const* rows;
  std::int64_t row_count;
  const std::int64_t* offsets;
  std::int64_t segments, depth;
  std::int64_t pairs;
  std::uint16_t* to;
  std::int64_t to_stride;  ///< numbers
};

/// A matrix [depth][columns] of f32, row_stride numbers from one row to the next, to the order of
/// DenseBf16Call::weights, rounded to nearest even.
struct Bf16WeightsCall {
  const float* from;
  std::int64_t row_stride;
  std::int64_t depth, columns;
  std::int64_t pairs;
  std::uint16_t* to;
};

}  // namespace adze::kernels
