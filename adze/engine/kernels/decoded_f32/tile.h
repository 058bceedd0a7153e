#pragma once

// For instruction-set files only, after f32_<isa>.h. Everything in an unnamed namespace.
#include "adze/engine/kernels/decoded_f32/decoded_f32_call.h"

namespace adze::kernels {
namespace {

/// Where a tile of rows reads and adds up.
struct DecodedTile {
  const DecodedF32Call& call;
  std::int64_t row;
};

/// Products of R rows with N vectors of columns. Decoder: of a WeightCode code, decode(from, i): the floats of input i,
/// where the vector's first column has its codes of input 0.
template <typename V, typename Decoder, int R, int N>
[[gnu::always_inline]] inline void decoded_tile(const Decoder& decoder, const DecodedTile& tile, std::int64_t column) {
  const DecodedF32Call& call = tile.call;
  constexpr std::int64_t inputs = Decoder::inputs;
  const std::int64_t step = call.panels * 64, pieces = (call.group + inputs - 1) / inputs;
  const std::uint8_t* weights = call.weights;
  std::int64_t start[N];  // of each vector of columns
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n) {
    const std::int64_t first = column + n * V::lanes;
    start[n] = first / 16 * 64 + weight_code_place(Decoder::code, first % 16, 0);
  }
  typename V::Vector total[R][N];
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) total[r][n] = V::load(call.bias + column + n * V::lanes);
  }
  for (std::int64_t first = 0; first < call.depth; first += call.group) {
    const float* x = call.x + tile.row * call.x_stride + first;
    const std::int64_t left = call.depth - first, count = left < call.group ? left : call.group;
    const std::uint8_t* scales = weights;
    if (call.scales) weights += step;
    typename V::Vector acc[R][N];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) acc[r][n] = V::set(0.0f);
    }
    const auto add = [&](const std::uint8_t* from, const float* xs, int i) __attribute__((always_inline)) {
      typename V::Vector w[N];
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) w[n] = decoder.decode(from + start[n], i);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const auto value = V::broadcast(xs + r * call.x_stride + i);
#pragma GCC unroll 8
        for (int n = 0; n < N; ++n) acc[r][n] = V::fma(value, w[n], acc[r][n]);
      }
    };
    std::int64_t k = 0;
    const std::uint8_t* from = weights;
    for (; k + inputs <= count; k += inputs, from += step) {
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) V::fetch(reinterpret_cast<const float*>(from + start[n] + 2048));
#pragma GCC unroll 8
      for (int i = 0; i < inputs; ++i) add(from, x + k, i);
    }
    for (int i = 0; k + i < count; ++i) add(from, x + k, i);
    weights += pieces * step;
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) {
      const auto* of_columns = reinterpret_cast<const float*>(scales + (column + n * V::lanes) * 4);
      const auto scale = call.scales ? V::load(of_columns) : V::set(1.0f);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) total[r][n] = V::fma(acc[r][n], scale, total[r][n]);
    }
  }
  const auto low = V::set(call.low), high = V::set(call.high);
  for (int n = 0; n < N; ++n) {
    const std::int64_t exist = call.columns - column - n * V::lanes;
    if (exist <= 0) break;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      float* y = call.y + (tile.row + r) * call.y_stride + column + n * V::lanes;
      const auto result = V::clamp(total[r][n], low, high);
      if (exist >= V::lanes) {
        V::store(y, result);
      } else {
        V::store_some(y, result, V::inside(exist));
      }
    }
  }
}

/// All rows and columns. Most rows of a tile: R.
template <typename V, typename Decoder, int R, int N>
void run_decoded(const DecodedF32Call& call, const Decoder& decoder) {
  const std::int64_t columns = call.panels * 16;
  std::int64_t column = 0;
  for (; column + N * V::lanes <= columns; column += N * V::lanes) {
    std::int64_t row = 0;
    for (; row + R <= call.rows; row += R) decoded_tile<V, Decoder, R, N>(decoder, {call, row}, column);
    for (; row < call.rows; ++row) decoded_tile<V, Decoder, 1, N>(decoder, {call, row}, column);
  }
  for (; column < columns; column += V::lanes) {
    for (std::int64_t row = 0; row < call.rows; ++row) {
      decoded_tile<V, Decoder, 1, 1>(decoder, {call, row}, column);
    }
  }
}

}  // namespace
}  // namespace adze::kernels
