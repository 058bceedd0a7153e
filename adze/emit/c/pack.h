#pragma once

#include <cstdint>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze::emit {

/// Weights as one row of products an output channel, in the order in which a patch with channels last is read.
struct Rows {
  std::int64_t rows = 0, depth = 0;
  std::vector<std::int32_t> values;  ///< without the weights' zero point
  std::int32_t at(std::int64_t row, std::int64_t k) const { return values[static_cast<std::size_t>(row * depth + k)]; }
};

/// [O, I, spatial…] → [O][spatial…][I].
Rows conv_rows(const Tensor& weights, std::int32_t zero_point);
/// [N, K] when transposed, else [K, N] → [N][K].
Rows gemm_rows(const Tensor& weights, bool transposed, std::int32_t zero_point);

/// Do all fit a signed byte?
bool fits_bytes(const Rows& rows);
/// Each row padded with zeros to stored_depth.
std::vector<std::int8_t> pack_rows(const Rows& rows, std::int64_t stored_depth);
/// Words for pairs of rows: of every four products (0, 2) in one word, (1, 3) in the next, as bytes
/// {row 0 first, row 1 first, row 0 second, row 1 second}. sxtb16 then gives a row's pair, as it gives the
/// activations'. Rows are padded to an even number, products to stored_depth, a multiple of 4.
std::vector<std::uint32_t> pack_dsp(const Rows& rows, std::int64_t stored_depth);
/// Words for pairs of rows and of products, as bytes {row 0 first, row 1 first, row 0 second, row 1 second}: sxtb16
/// gives the pair of a row that goes with a word of two 16-bit activations. Padded likewise, stored_depth an even
/// number.
std::vector<std::uint32_t> pack_pairs(const Rows& rows, std::int64_t stored_depth);
/// For every four rows: blocks of sixteen (or eight) products, row after row. stored_depth is a multiple of them.
std::vector<std::int8_t> pack_mve(const Rows& rows, std::int64_t stored_depth, std::int64_t together = 16);
/// One row a channel → [channel / 4][tap][4].
std::vector<std::int8_t> pack_depthwise_mve(const Rows& rows);
/// 3 x 3, one row a channel → [channel][column][row], columns of four and a fourth one with zeros.
std::vector<std::int8_t> pack_depthwise_3x3_mve(const Rows& rows);
/// One row a channel → [tap][channel].
std::vector<std::int8_t> pack_depthwise(const Rows& rows);
/// For every four channels: words of 16-bit weights of channels (0, 2) tap by tap, then of channels (1, 3).
std::vector<std::uint32_t> pack_depthwise_dsp(const Rows& rows);

}  // namespace adze::emit
