#pragma once

#include <cstdint>

namespace adze::kernels {

/// One row of floats as integers with a scale for each group of neighbours: x = scale * sum over digits d of
/// digit[d] * 256^d. One digit keeps 8 bits, three keep 24, as many as a float has.
struct LowbitSplitCall {
  const float* x;
  std::int64_t depth;
  std::int64_t group;   ///< inputs of a group; the last one may have fewer
  std::int64_t padded;  ///< bytes of a group's digit, a multiple of 4: zero behind the inputs
  int digits;           ///< 1 to 3
  std::int8_t* to;      ///< [group][digit][padded]
  float* scales;        ///< [group]; NaN for a group that holds NaN or infinity
  std::int32_t* sums;   ///< [group][digit], times sum_factor
  std::int32_t sum_factor;
};

/// Products of split rows with one block of columns of weights that are codes of 1, 2, 4 or 8 bits:
///
///   y[r, j] = clamp(bias[j] + sum over groups g of (float(t) * x_scale[r, g]) * scale[g, j], low, high)
///   t = sum over k in g of x[r, k] * (step * code[k, j] - zero[g, j]),  x in whole numbers
///
/// t is exact; with three digits it is float(t2) * 65536 + float(t1 * 256 + t0). Groups are added in order, each by one
/// fused multiply-add: every kernel gives the same bits.
///
/// weights: for each group a header (scales, then zero points, filled to 64 bytes) and chunks * panels * 64 bytes of
/// codes: byte 4 c + b of a panel's chunk holds column c, and in its bits from the lowest the codes of the inputs
/// 4 p + b, p = 0 … 8 / bits - 1, of the chunk.
struct LowbitCall {
  const std::int8_t* x;   ///< [row][group][digit][chunks * 32 / bits]
  const float* x_scales;  ///< [row][group]
  /// [row][group][digit]: sums of digits; times -zero where it is the same for all columns
  const std::int32_t* x_sums;
  std::int64_t rows;
  std::int64_t groups;
  std::int64_t chunks;  ///< of a group
  const std::uint8_t* weights;
  std::int64_t panels;  ///< of 16 columns: 1 to 4
  int bits;
  int digits;
  int step;           ///< 1; or 2, with codes of 1 bit
  int scale_bytes;    ///< 4: f32, 2: f16
  bool zero_points;   ///< u8, one for each column and group
  const float* bias;  ///< panels * 16 of them
  float low, high;
  float* sums;            ///< room for rows * 64, aligned to 64 bytes
  std::uint8_t* decoded;  ///< room for lowbit_decoded_bytes, aligned to 64 bytes
  float* y;
  std::int64_t y_stride;
  std::int64_t columns;  ///< that exist, up to panels * 16
};

/// Codes of some groups, a byte each, that stay in the first cache while rows pass.
constexpr std::int64_t lowbit_decoded_bytes = 32768;

/// Of the header in front of a group's codes.
constexpr std::int64_t lowbit_header_bytes(std::int64_t panels, int scale_bytes, bool zero_points) {
  return (panels * 16 * (scale_bytes + (zero_points ? 1 : 0)) + 63) / 64 * 64;
}

}  // namespace adze::kernels
