#pragma once

// For instruction-set files only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/dense_f32/dense_f32_call.h"

namespace adze::kernels {
namespace {

constexpr std::int64_t fetched = 16;  // floats of a cache line

/// R rows times N vectors of columns, held in registers. V: vector operations of the instruction set. ahead: what to
/// fetch into L2 meanwhile, a cache line for every weight of a column.
template <typename V, int R, int N>
void tile(const DenseF32Call& call, const float* const* rows, float* y, const float* ahead) {
  typename V::Vector acc[R][N];
  const std::int64_t y_stride = call.y_stride, depth = call.depth;
  const auto inside = V::inside(call.columns - (N - 1) * V::lanes);  // of the last vector
  if (call.bias != nullptr) {
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) {
      const auto bias = V::load(call.bias + n * V::lanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) acc[r][n] = bias;
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
      for (int n = 0; n + 1 < N; ++n) acc[r][n] = V::load(y + r * y_stride + n * V::lanes);
      acc[r][N - 1] = V::load_some(y + r * y_stride + (N - 1) * V::lanes, inside);
    }
  }
  const float* w = call.weights;
  for (std::int64_t s = 0; s < call.segments; ++s) {
    const float* x[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) x[r] = rows[r] + call.offsets[s];
    const float* const end = w + depth * (N * V::lanes);
    for (std::int64_t k = 0; w != end; ++k, w += N * V::lanes) {
      typename V::Vector b[N];
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) b[n] = V::load(w + n * V::lanes);
      if constexpr (N == 4) {  // the widest panels have registers to spare
        V::fetch(ahead);
        ahead += fetched;
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const auto a = V::broadcast(x[r] + k);
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) acc[r][n] = V::fma(a, b[n], acc[r][n]);
      }
    }
  }
  constexpr float infinity = __builtin_inff();
  const auto low = V::set(call.ends ? call.low : -infinity), high = V::set(call.ends ? call.high : infinity);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r, y += y_stride) {
#pragma GCC unroll 16
    for (int n = 0; n + 1 < N; ++n) V::store(y + n * V::lanes, V::clamp(acc[r][n], low, high));
    V::store_some(y + (N - 1) * V::lanes, V::clamp(acc[r][N - 1], low, high), inside);
  }
}

template <typename V>
void scale_rows(const DenseF32Scale& call) {
  for (std::int64_t i = 0; i < call.depth; ++i) {
    const auto factor = V::broadcast(call.factors + i);
    const float* from = call.weights + i * call.width;
    float* to = call.to + i * call.width;
    for (std::int64_t j = 0; j < call.width; j += V::lanes) V::store(to + j, V::load(from + j) * factor);
  }
}

using Tile = void (*)(const DenseF32Call&, const float* const*, float*, const float*);

/// Rows in tiles of about the same height, none higher than the table of tiles [1, 2, … most] has.
inline void run_tiles(const DenseF32Call& call, const Tile* tiles, std::int64_t most) {
  const std::int64_t count = (call.row_count + most - 1) / most;
  const std::int64_t fetched_by_tile = call.segments * call.depth * fetched;
  std::int64_t row = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t height = call.row_count / count + (i < call.row_count % count ? 1 : 0);
    const bool fetches = (i + 1) * fetched_by_tile <= call.next_count;
    tiles[height - 1](call, call.rows + row, call.y + row * call.y_stride,
                      fetches ? call.next + i * fetched_by_tile : call.weights);
    row += height;
  }
}

}  // namespace
}  // namespace adze::kernels
