#pragma once

// For kernel files only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/resize_u8/resize_u8_call.h"

namespace adze::kernels {
namespace {

/// To the nearest integer, ties to even, by adding and subtracting 1.5 * 2^52: exact for what bytes add up to.
[[gnu::always_inline]] inline std::int32_t nearest(double value) {
  constexpr double magic = 6755399441055744.0;
  return static_cast<std::int32_t>((value + magic) - magic);
}

/// Elements [begin, count) of a line.
inline void down_one_by_one(const ResizeDownCall& call, std::int64_t begin) {
  const int offset = call.flip != 0 ? 128 : 0;
  for (std::int64_t i = begin; i < call.count; ++i) {
    double sum = 0.0;
    for (std::int64_t t = 0; t < call.term_count; ++t) {
      const ResizeTerm& term = call.terms[t];
      sum += term.weight * static_cast<double>((call.x[term.source + i] ^ call.flip) - offset);
    }
    call.line[i] = sum;
  }
}

/// Channels [begin, channels) of a pixel.
inline void across_one_by_one(const ResizeAcrossCall& call, std::int64_t pixel, std::int64_t begin) {
  const int offset = call.flip != 0 ? 128 : 0;
  for (std::int64_t c = begin; c < call.channels; ++c) {
    double sum = 0.0;
    for (std::int64_t t = call.starts[pixel]; t < call.starts[pixel + 1]; ++t) {
      sum += call.terms[t].weight * call.line[call.terms[t].source + c];
    }
    std::int32_t number = nearest(sum);
    number = number < call.low ? call.low : number > call.high ? call.high : number;
    call.y[pixel * call.channels + c] =
        static_cast<std::uint8_t>(static_cast<std::uint8_t>(number + offset) ^ call.flip);
  }
}

}  // namespace
}  // namespace adze::kernels
