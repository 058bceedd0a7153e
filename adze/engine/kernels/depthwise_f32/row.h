#pragma once

// For instruction-set files only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/depthwise_f32/depthwise_f32_call.h"

namespace adze::kernels {
namespace {

struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};

/// Calls body(first channel, whole) for each vector of channels; whole: a constant, false for a last part of one.
template <typename V, typename Body>
inline void each_vector(std::int64_t channels, Body body) {
  std::int64_t c = 0;
  for (; c + V::lanes <= channels; c += V::lanes) body(c, Yes{});
  if (c < channels) body(c, No{});
}

/// Columns [begin, end) of the window of a group of pixels, of those from its first tap on, lie in the picture.
struct Inside {
  std::int64_t begin, end;
};

/// Pixels neighbours; each vector of x is loaded once for all of them. Edge: some of the columns are outside.
/// column: of the first tap of the first pixel.
template <typename V, int Width, int Stride, int Pixels, bool Edge>
void group(const DepthwiseF32Call& call, std::int64_t column, Inside inside, float* y) {
  const auto low = V::set(call.low), high = V::set(call.high);
  const std::int64_t pixel = call.pixel, step = call.weight_step, x_row = call.x_row, row_taps = call.row_taps;
  const float* const x_first = call.x + column * pixel;
  const auto last = V::inside(call.channels % V::lanes);
  each_vector<V>(call.channels, [&](std::int64_t c, auto whole) {
    typename V::Vector acc[Pixels];
    const auto bias = V::load(call.bias + c);
#pragma GCC unroll 16
    for (int p = 0; p < Pixels; ++p) acc[p] = bias;
    const float* x = x_first + c;
    const float* w = call.weights + c;
    for (std::int64_t i = 0; i < row_taps; ++i, x += x_row, w += Width * step) {
      typename V::Vector weights[Width];
#pragma GCC unroll 16
      for (int j = 0; j < Width; ++j) weights[j] = V::load(w + j * step);
#pragma GCC unroll 32
      for (int k = 0; k < (Pixels - 1) * Stride + Width; ++k) {
        if (Edge && (k < inside.begin || k >= inside.end)) continue;
        const auto value = whole.value ? V::load(x + k * pixel) : V::load_some(x + k * pixel, last);
#pragma GCC unroll 16
        for (int p = 0; p < Pixels; ++p) {
          const int j = k - p * Stride;
          if (j >= 0 && j < Width) acc[p] = V::fma(value, weights[j], acc[p]);
        }
      }
    }
#pragma GCC unroll 16
    for (int p = 0; p < Pixels; ++p) {
      const auto value = V::clamp(acc[p], low, high);
      whole.value ? V::store(y + p * pixel + c, value) : V::store_some(y + p * pixel + c, value, last);
    }
  });
}

/// One pixel, any window, from tap first to tap end of each row.
template <typename V>
void any_pixel(const DepthwiseF32Call& call, std::int64_t p) {
  const auto low = V::set(call.low), high = V::set(call.high);
  const std::int64_t column = p * call.stride - call.pad;
  std::int64_t first = 0, end = call.kernel_width;
  while (first < end && column + first * call.dilation < 0) ++first;
  while (end > first && column + (end - 1) * call.dilation >= call.x_columns) --end;
  const auto last = V::inside(call.channels % V::lanes);
  each_vector<V>(call.channels, [&](std::int64_t c, auto whole) {
    auto acc = V::load(call.bias + c);
    for (std::int64_t i = 0; i < call.row_taps; ++i) {
      const float* x = call.x + i * call.x_row + (column + first * call.dilation) * call.pixel + c;
      const float* w = call.weights + (i * call.kernel_width + first) * call.weight_step + c;
      for (std::int64_t j = first; j < end; ++j, x += call.dilation * call.pixel, w += call.weight_step) {
        acc = V::fma(whole.value ? V::load(x) : V::load_some(x, last), V::load(w), acc);
      }
    }
    const auto value = V::clamp(acc, low, high);
    float* y = call.y + p * call.pixel + c;
    whole.value ? V::store(y, value) : V::store_some(y, value, last);
  });
}

using Group = void (*)(const DepthwiseF32Call&, std::int64_t, Inside, float*);

constexpr std::int64_t most_pixels = 4;

/// Functions for 1, 2, 3, 4 pixels; by whether some columns are outside.
template <typename V, int Width, int Stride>
constexpr Group groups[2][most_pixels] = {{group<V, Width, Stride, 1, false>, group<V, Width, Stride, 2, false>,
                                           group<V, Width, Stride, 3, false>, group<V, Width, Stride, 4, false>},
                                          {group<V, Width, Stride, 1, true>, group<V, Width, Stride, 2, true>,
                                           group<V, Width, Stride, 3, true>, group<V, Width, Stride, 4, true>}};

/// A row in groups of about the same number of pixels.
template <typename V, int Width, int Stride>
void row_of(const DepthwiseF32Call& call) {
  const std::int64_t count = (call.y_columns + most_pixels - 1) / most_pixels;
  std::int64_t p = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t pixels = call.y_columns / count + (i < call.y_columns % count ? 1 : 0);
    const std::int64_t column = p * Stride - call.pad, columns = (pixels - 1) * Stride + Width;
    const std::int64_t room = call.x_columns - column;
    const Inside inside = {column < 0 ? -column : 0, room < columns ? room : columns};
    const bool edge = inside.begin > 0 || inside.end < columns;
    groups<V, Width, Stride>[edge ? 1 : 0][pixels - 1](call, column, inside, call.y + p * call.pixel);
    p += pixels;
  }
}

template <typename V>
void depthwise_row(const DepthwiseF32Call& call) {
  if (call.dilation == 1 && call.stride < 4) {
    switch (call.kernel_width * 4 + call.stride) {
      case 3 * 4 + 1:
        return row_of<V, 3, 1>(call);
      case 3 * 4 + 2:
        return row_of<V, 3, 2>(call);
      case 5 * 4 + 1:
        return row_of<V, 5, 1>(call);
      case 5 * 4 + 2:
        return row_of<V, 5, 2>(call);
      case 7 * 4 + 1:
        return row_of<V, 7, 1>(call);
      default:
        break;
    }
  }
  for (std::int64_t p = 0; p < call.y_columns; ++p) any_pixel<V>(call, p);
}

}  // namespace
}  // namespace adze::kernels
