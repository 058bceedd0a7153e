#pragma once

#include <cstdint>

namespace adze::kernels {

/// A matrix of bytes, x[k * depth_step + j * column_step], made into weights for gemm_s8 (conv_s8_call.h) while
/// running:
///
///   w[k, j] = x ^ flip as s8; packed: [column block of 16][quad][16 columns][4 bytes], zero beyond the depth
///   terms[j] = start + factor * sum over k of w[k, j], wrapping, for whole blocks (what is beyond the columns is free)
struct PackS8Call {
  const std::uint8_t* x;
  std::int64_t depth, columns, depth_step, column_step;
  std::uint8_t flip;
  std::int32_t factor, start;
  std::int8_t* packed;
  std::int32_t* terms;
};

/// terms[r] = factor * sum of the u8 row x + r * row_step, wrapping.
struct RowTermsCall {
  const std::uint8_t* x;
  std::int64_t rows, depth, row_step;
  std::int32_t factor;
  std::int32_t* terms;
};

}  // namespace adze::kernels
