#pragma once

// For kernel files only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/pool_f32/pool_f32_call.h"

namespace adze::kernels {
namespace {

/// The taps of a pixel's window that lie in the picture.
struct PoolWindow {
  const float* x;
  std::int64_t row_taps, x_row, column_taps, step;
};

/// N vectors of channels; the last one whole or not.
template <typename V, bool Mean, int N, bool Whole>
inline void pool_vectors(const PoolWindow& window, typename V::Mask last, float divisor, float* y, std::int64_t c) {
  typename V::Vector acc[N];
  const auto start = V::set(Mean ? 0.0f : -__builtin_inff());
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n) acc[n] = start;
  const float* row = window.x + c;
  for (std::int64_t i = 0; i < window.row_taps; ++i, row += window.x_row) {
    const float* x = row;
    for (std::int64_t j = 0; j < window.column_taps; ++j, x += window.step) {
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        const auto tap = Whole || n + 1 < N ? V::load(x + n * V::lanes) : V::load_some(x + n * V::lanes, last);
        acc[n] = Mean ? V::add(acc[n], tap) : V::max(tap, acc[n]);
      }
    }
  }
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n) {
    const auto value = Mean ? V::divide(acc[n], V::set(divisor)) : acc[n];
    Whole || n + 1 < N ? V::store(y + c + n * V::lanes, value) : V::store_some(y + c + n * V::lanes, value, last);
  }
}

template <typename V, bool Mean>
inline void pool_pixel(const PoolF32Call& call, std::int64_t p) {
  const std::int64_t column = p * call.stride - call.pad;
  std::int64_t first = 0, end = call.kernel_width;
  while (first < end && column + first * call.dilation < 0) ++first;
  while (end > first && column + (end - 1) * call.dilation >= call.x_columns) --end;
  const std::int64_t taps = call.row_taps * (end - first);
  const auto divisor = static_cast<float>(call.divisor != 0 ? call.divisor : taps);
  const PoolWindow window = {call.x + (first < end ? column + first * call.dilation : 0) * call.channels,
                             first < end ? call.row_taps : 0, call.x_row, end - first, call.dilation * call.channels};
  float* y = call.y + p * call.channels;
  constexpr int together = 4;
  const auto last = V::inside(call.channels % V::lanes);
  std::int64_t c = 0;
  for (; c + together * V::lanes <= call.channels; c += together * V::lanes) {
    pool_vectors<V, Mean, together, true>(window, last, divisor, y, c);
  }
  for (; c + V::lanes <= call.channels; c += V::lanes) pool_vectors<V, Mean, 1, true>(window, last, divisor, y, c);
  if (c < call.channels) pool_vectors<V, Mean, 1, false>(window, last, divisor, y, c);
}

template <typename V>
void pool_row(const PoolF32Call& call) {
  for (std::int64_t p = 0; p < call.y_columns; ++p) {
    call.mean ? pool_pixel<V, true>(call, p) : pool_pixel<V, false>(call, p);
  }
}

}  // namespace
}  // namespace adze::kernels
