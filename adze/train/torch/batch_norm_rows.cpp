#include "adze/train/torch/batch_norm_rows.h"

#include <algorithm>

#include "adze/train/torch/clones.h"

namespace adze::train {

ADZE_CLONES void add_moments(const float* __restrict x, std::int64_t rows, std::int64_t channels,
                             const float* __restrict shift, float* __restrict sums, float* __restrict squares) {
  std::fill_n(sums, channels, 0.0F);
  std::fill_n(squares, channels, 0.0F);
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4, x += 4 * channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float d0 = x[c] - shift[c], d1 = x[channels + c] - shift[c];
      const float d2 = x[2 * channels + c] - shift[c], d3 = x[3 * channels + c] - shift[c];
      sums[c] += (d0 + d1) + (d2 + d3);
      squares[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    }
  }
  for (; row < rows; ++row, x += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float d = x[c] - shift[c];
      sums[c] += d;
      squares[c] += d * d;
    }
  }
}

ADZE_CLONES void normalize_rows(const float* __restrict x, float* __restrict y, std::int64_t rows,
                                std::int64_t channels, const Affine& affine, Bounds bounds) {
  const float *factor = affine.factor, *offset = affine.offset;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    for (std::int64_t c = 0; c < channels; ++c) y[c] = clamped(x[c] * factor[c] + offset[c], bounds);
  }
}

ADZE_CLONES void add_gradients(const float* __restrict x, const float* __restrict dy, std::int64_t rows,
                               std::int64_t channels, const Affine& affine, const float* __restrict mean, Bounds bounds,
                               float* __restrict sums, float* __restrict products) {
  std::fill_n(sums, channels, 0.0F);
  std::fill_n(products, channels, 0.0F);
  const float *factor = affine.factor, *offset = affine.offset;
  std::int64_t row = 0;
  for (; row + 2 <= rows; row += 2, x += 2 * channels, dy += 2 * channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float x0 = x[c], x1 = x[channels + c];
      const float g0 = gated(dy[c], x0 * factor[c] + offset[c], bounds);
      const float g1 = gated(dy[channels + c], x1 * factor[c] + offset[c], bounds);
      sums[c] += g0 + g1;
      products[c] += g0 * (x0 - mean[c]) + g1 * (x1 - mean[c]);
    }
  }
  for (; row < rows; ++row, x += channels, dy += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float g = gated(dy[c], x[c] * factor[c] + offset[c], bounds);
      sums[c] += g;
      products[c] += g * (x[c] - mean[c]);
    }
  }
}

ADZE_CLONES void propagate_rows(const float* __restrict x, const float* __restrict dy, float* __restrict dx,
                                std::int64_t rows, std::int64_t channels, const Affine& affine,
                                const float* __restrict mean, const float* __restrict constant,
                                const float* __restrict slope, Bounds bounds) {
  const float *factor = affine.factor, *offset = affine.offset;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, dy += channels, dx += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float g = gated(dy[c], x[c] * factor[c] + offset[c], bounds);
      dx[c] = factor[c] * (g - constant[c] - (x[c] - mean[c]) * slope[c]);
    }
  }
}

}  // namespace adze::train
