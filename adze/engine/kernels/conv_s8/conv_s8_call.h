#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

/// Integer products of some rows (pixels) with all columns (output channels) of packed weights.
///
///   acc[r, j] = stage.bias[j] + sum over quads q and i in 0 … 3 of rows[r][offsets[q] + i] * w[j, q, i]
///   y[r * y_stride + j] = finish(acc[r, j])          (low byte)
///
/// With row_terms, acc[r, j] begins with row_terms[r] more. With sums, acc itself is the result: sums[r * y_stride +
/// j]; y and all of the stage but its bias are unused.
///
/// Rows are u8; a quad is four bytes of them. A window is read where it is: offsets step over what lies between its
/// kernel rows. weights: [column block of 16][quad][16 columns][4 bytes], s8, zero where there is no column or byte.
/// 32 bits hold any sum of up to 2^16 products; larger sums wrap, as the reference's do.
struct GemmS8Call {
  const std::uint8_t* const* rows;
  std::int64_t row_count;
  const std::int32_t* offsets;
  std::int64_t quads;
  const std::int8_t* weights;
  std::int64_t columns;
  const OutputStage* stage;
  std::uint8_t* y;
  std::int64_t y_stride;
  /// When not 0: rows 4 i … 4 i + 3 begin this many bytes one after the other, so that one pointer serves four.
  std::int64_t step_in_fours = 0;
  /// For kernels that copy rows into tiles of 16: how many tiles they copy before columns pass them (even, at most
  /// gemm_s8_most_tiles), and room for them aligned to 64 bytes.
  std::int64_t tiles_together = 0;
  std::uint8_t* scratch = nullptr;
  const std::int32_t* row_terms = nullptr;
  std::int32_t* sums = nullptr;
};

inline constexpr std::int64_t gemm_s8_most_tiles = 64;

}  // namespace adze::kernels
