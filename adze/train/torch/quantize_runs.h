#pragma once

#include <cstdint>

#include "adze/train/torch/bounds.h"

namespace adze::train {

// Quantization with one scale over neighbouring numbers, the hot loops of learned_quantize. Numbers are cut off to the
// bounds first. The lowest and the highest code are whole and at most 2²² in size.

/// y = clamp(round_half_even(x / scale), low, high) · scale. NaN stays NaN.
void quantize_run(const float* x, float* y, std::int64_t count, float scale, Bounds codes, Bounds bounds = unbounded);

/// dx = dy where x / scale lies inside the codes, else 0. Returns what the scale gets: Σ dy · (code − x / scale inside,
/// else code), summed in an order that count alone decides.
double quantize_gradient_run(const float* x, const float* dy, float* dx, std::int64_t count, float scale, Bounds codes,
                             Bounds bounds = unbounded);

/// Codes from -top to top, and what one is worth.
struct GradientGrid {
  float scale, inverse, top;
};

/// Of a tensor's numbers begin to end: y = clamp(⌊x · inverse + u⌋, −top, top) · scale with u in [0, 1) by the seed and
/// the number's place (the finalizer of SplitMix64, Steele et al. 2014), so that x is kept on the average.
void round_run(const float* x, float* y, std::int64_t begin, std::int64_t end, const GradientGrid& grid,
               std::uint64_t seed);

}  // namespace adze::train
