#pragma once

#include <cstdint>

#include "adze/train/torch/bounds.h"

namespace adze::train {

// Batch normalization over rows of channels, the hot loops: x is [rows][channels] in memory, f32. The caller cuts rows
// into pieces of a size that depends on nothing but the shape, so sums do not depend on the number of threads.

/// By channel.
struct Affine {
  const float *factor, *offset;  ///< y = x · factor + offset
};

/// sums[c] = Σ (x − shift), squares[c] = Σ (x − shift)² over `rows` rows.
void add_moments(const float* x, std::int64_t rows, std::int64_t channels, const float* shift, float* sums,
                 float* squares);

/// y = clamp(x · factor + offset).
void normalize_rows(const float* x, float* y, std::int64_t rows, std::int64_t channels, const Affine& affine,
                    Bounds bounds);

/// g = dy where the normalized value lies inside the bounds, else 0: sums[c] = Σ g, products[c] = Σ g · (x − mean).
void add_gradients(const float* x, const float* dy, std::int64_t rows, std::int64_t channels, const Affine& affine,
                   const float* mean, Bounds bounds, float* sums, float* products);

/// dx = factor · (g − constant − (x − mean) · slope), the three by channel.
void propagate_rows(const float* x, const float* dy, float* dx, std::int64_t rows, std::int64_t channels,
                    const Affine& affine, const float* mean, const float* constant, const float* slope, Bounds bounds);

}  // namespace adze::train
