#pragma once

#include <cstdint>

namespace adze::kernels {

/// Softmax of rows of codes by a table: y = clamp(round(e[largest - x] / sum of e[largest - x] / scale) + zero_point),
/// in double precision, ties to even. Codes are unsigned after the exclusive or with flip.
struct SoftmaxU8Call {
  const std::uint8_t* x;
  std::int64_t rows, length;
  std::uint8_t flip;                  ///< 0x80 for s8 inputs
  const std::uint32_t* exponentials;  ///< 256, for differences from the largest
  double scale;
  std::int32_t zero_point, low, high;  ///< of the output
  std::uint8_t* y;
};

}  // namespace adze::kernels
