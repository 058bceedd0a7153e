#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "adze/engine/kernels/geometry.h"

namespace adze::kernels {

/// Calls visit(pixel) with the offset (in pixels of one picture) of every tap of the window that lies in the picture.
template <typename Visit>
void visit_taps(const WindowGeometry& g, std::int64_t row, std::int64_t column, Visit visit) {
  for (std::int64_t ky = 0; ky < g.kernel_height; ++ky) {
    const std::int64_t in_row = row * g.stride_height - g.pad_top + ky * g.dilation_height;
    if (in_row < 0 || in_row >= g.in_height) continue;
    for (std::int64_t kx = 0; kx < g.kernel_width; ++kx) {
      const std::int64_t in_column = column * g.stride_width - g.pad_left + kx * g.dilation_width;
      if (in_column >= 0 && in_column < g.in_width) visit(in_row * g.in_width + in_column);
    }
  }
}

/// Largest tap of each window, of output rows [begin, end) counted over the whole batch. T: float, int8, uint8.
template <typename T>
void max_pool_rows(const WindowGeometry& g, const T* x, T* y, std::int64_t begin, std::int64_t end) {
  using Limits = std::numeric_limits<T>;
  const T lowest = Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest();
  const std::int64_t channels = g.in_channels;
  for (std::int64_t r = begin; r < end; ++r) {
    const T* picture = x + r / g.out_height * g.in_pixels() * channels;
    for (std::int64_t column = 0; column < g.out_width; ++column) {
      T* out = y + (r * g.out_width + column) * channels;
      std::fill_n(out, channels, lowest);
      visit_taps(g, r % g.out_height, column, [&](std::int64_t pixel) {
        const T* tap = picture + pixel * channels;
        for (std::int64_t c = 0; c < channels; ++c) out[c] = tap[c] > out[c] ? tap[c] : out[c];
      });
    }
  }
}

/// Sums of the taps of each window into sums[channels] (Sum: float or int32), then finish(sums, taps inside, output).
template <typename T, typename Sum, typename Finish>
void sum_pool_rows(const WindowGeometry& g, const T* x, Sum* sums, std::int64_t begin, std::int64_t end,
                   Finish finish) {
  const std::int64_t channels = g.in_channels;
  for (std::int64_t r = begin; r < end; ++r) {
    const T* picture = x + r / g.out_height * g.in_pixels() * channels;
    for (std::int64_t column = 0; column < g.out_width; ++column) {
      std::fill_n(sums, channels, Sum{0});
      std::int64_t taps = 0;
      visit_taps(g, r % g.out_height, column, [&](std::int64_t pixel) {
        const T* tap = picture + pixel * channels;
        for (std::int64_t c = 0; c < channels; ++c) sums[c] += static_cast<Sum>(tap[c]);
        ++taps;
      });
      finish(sums, taps, (r * g.out_width + column) * channels);
    }
  }
}

}  // namespace adze::kernels
