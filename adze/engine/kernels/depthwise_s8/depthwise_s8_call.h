#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

/// One row of pixels of a depthwise convolution, each channel by its own filter.
///
///   acc[p, c] = stage.bias[c] + sum over taps t of x[p * x_step + offsets[t] + c] * w[c, t]
///   y[p * channels + c] = finish(acc[p, c])          (low byte)
///
/// x is u8 and readable to 64 bytes beyond the last channel of each tap.
/// weights: [channel block of 16][tap pair][16 channels][2], s16, zero where there is no channel or tap; offsets has an
/// even number of entries, a missing one repeats another.
struct DepthwiseS8Call {
  const std::uint8_t* x;
  std::int64_t x_step;
  std::int64_t pixels;
  const std::int64_t* offsets;
  std::int64_t tap_pairs;
  const std::int16_t* weights;
  std::int64_t channels;
  const OutputStage* stage;
  std::uint8_t* y;
};

}  // namespace adze::kernels
