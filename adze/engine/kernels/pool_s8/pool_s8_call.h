#pragma once

#include <cstdint>

namespace adze::kernels {

/// The taps of one window that lie in the picture: rows × columns pixels of channels bytes, at steps in bytes.
struct PoolS8Call {
  const std::uint8_t* x;
  std::int64_t rows, row_step;
  std::int64_t columns, column_step;
  std::int64_t channels;
  bool is_signed;
};

/// y[c] = the largest tap of each channel.
using PoolS8Max = void (*)(const PoolS8Call&, std::uint8_t* y);
/// sums[c] = the sum of each channel's taps, at most 2^23 of them.
using PoolS8Sum = void (*)(const PoolS8Call&, std::int32_t* sums);

}  // namespace adze::kernels
