#pragma once

#include <cstdint>

namespace adze::kernels {

/// Weighted sums of bytes in double precision, terms added in their order, as the reference adds them.
struct ResizeTerm {
  std::int64_t source;
  double weight;
};

/// line[i] = sum over terms of weight * (x[source + i] ^ flip) - 128 if flip: numbers of one row of pixels.
struct ResizeDownCall {
  const std::uint8_t* x;
  std::int64_t count;
  const ResizeTerm* terms;
  std::int64_t term_count;
  std::uint8_t flip;  ///< 0x80 for s8
  double* line;
};

/// The same terms for every pixel side by side: term t of pixel p is source[t * pixels + p] and weight[t * pixels + p],
/// with weights of zero where a pixel has fewer.
struct ResizeTermLines {
  std::int64_t count = 0;
  const std::int32_t* source = nullptr;
  const double* weight = nullptr;
};

/// y[p * channels + c] = the nearest integer, ties to even, to the sum over the pixel's terms of weight *
/// line[source + c]; the terms of pixel p are [starts[p], starts[p + 1]). Stored as the bytes came: XORed with flip.
struct ResizeAcrossCall {
  const double* line;
  std::int64_t pixels, channels;
  const ResizeTerm* terms;
  const std::int64_t* starts;
  std::uint8_t flip;
  std::int32_t low, high;  ///< of the numbers
  std::uint8_t* y;
  ResizeTermLines lines = {};  ///< when there: the same terms; pixels then have one channel
};

}  // namespace adze::kernels
