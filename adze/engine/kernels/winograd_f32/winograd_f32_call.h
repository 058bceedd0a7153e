#pragma once

#include <cstdint>

namespace adze::kernels {

/// The transforms of Winograd's minimal filtering F(m x m, 3 x 3), m = 2 or 4 (Lavin and Gray, 2015): a tile of side
/// m + 2 of the picture to (m + 2)^2 points, and the products of points back to m x m sums.

struct WinogradInputCall {
  const float* const* pixels;  ///< of the tile, row by row: each its channels
  std::int64_t channels;
  float* points;  ///< [point][point_step]
  std::int64_t point_step;
};

struct WinogradOutputCall {
  const float* points;
  std::int64_t point_step;
  std::int64_t channels;
  const float* bias;
  float low, high;
  float* y;
  std::int64_t row_step, pixel_step;
  std::int64_t rows, columns;  ///< of the tile that exist, up to m
};

}  // namespace adze::kernels
