#pragma once

// For kernel files only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/winograd_f32/winograd_f32_call.h"

namespace adze::kernels {
namespace {

/// The one-dimensional transforms of F(M, 3): points = B^T d, sums = A^T m.
template <typename V, int M>
struct Transform;

template <typename V>
struct Transform<V, 2> {
  using Vector = typename V::Vector;
  static void input(const Vector* d, Vector* points) {
    points[0] = V::subtract(d[0], d[2]);
    points[1] = V::add(d[1], d[2]);
    points[2] = V::subtract(d[2], d[1]);
    points[3] = V::subtract(d[1], d[3]);
  }
  static void output(const Vector* m, Vector* sums) {
    sums[0] = V::add(m[0], V::add(m[1], m[2]));
    sums[1] = V::subtract(V::subtract(m[1], m[2]), m[3]);
  }
};

template <typename V>
struct Transform<V, 4> {
  using Vector = typename V::Vector;
  static void input(const Vector* d, Vector* points) {
    const auto two = V::set(2.0f), four = V::set(4.0f), minus_four = V::set(-4.0f), minus_five = V::set(-5.0f);
    const Vector even = V::fma(minus_four, d[2], d[4]), odd = V::fma(minus_four, d[1], d[3]);
    const Vector near_even = V::subtract(d[4], d[2]), near_odd = V::subtract(d[3], d[1]);
    points[0] = V::fma(four, d[0], V::fma(minus_five, d[2], d[4]));
    points[1] = V::add(even, odd);
    points[2] = V::subtract(even, odd);
    points[3] = V::fma(two, near_odd, near_even);
    points[4] = V::fma(V::set(-2.0f), near_odd, near_even);
    points[5] = V::fma(four, d[1], V::fma(minus_five, d[3], d[5]));
  }
  static void output(const Vector* m, Vector* sums) {
    const Vector sum_1 = V::add(m[1], m[2]), difference_1 = V::subtract(m[1], m[2]);
    const Vector sum_2 = V::add(m[3], m[4]), difference_2 = V::subtract(m[3], m[4]);
    sums[0] = V::add(m[0], V::add(sum_1, sum_2));
    sums[1] = V::fma(V::set(2.0f), difference_2, difference_1);
    sums[2] = V::fma(V::set(4.0f), sum_2, sum_1);
    sums[3] = V::add(V::fma(V::set(8.0f), difference_2, difference_1), m[5]);
  }
};

template <typename V, int M, bool Whole>
inline void input_vector(const WinogradInputCall& call, typename V::Mask last, std::int64_t c) {
  constexpr int side = M + 2;
  typename V::Vector half[side][side];  // by column of the tile
#pragma GCC unroll 8
  for (int column = 0; column < side; ++column) {
    typename V::Vector d[side];
#pragma GCC unroll 8
    for (int row = 0; row < side; ++row) {
      const float* x = call.pixels[row * side + column] + c;
      d[row] = Whole ? V::load(x) : V::load_some(x, last);
    }
    Transform<V, M>::input(d, half[column]);
  }
#pragma GCC unroll 8
  for (int row = 0; row < side; ++row) {
    typename V::Vector d[side], points[side];
#pragma GCC unroll 8
    for (int column = 0; column < side; ++column) d[column] = half[column][row];
    Transform<V, M>::input(d, points);
#pragma GCC unroll 8
    for (int column = 0; column < side; ++column) {
      float* to = call.points + (row * side + column) * call.point_step + c;
      Whole ? V::store(to, points[column]) : V::store_some(to, points[column], last);
    }
  }
}

template <typename V, int M, bool Whole>
inline void output_vector(const WinogradOutputCall& call, typename V::Mask last, std::int64_t c) {
  constexpr int side = M + 2;
  typename V::Vector half[side][M];  // by column of points
#pragma GCC unroll 8
  for (int column = 0; column < side; ++column) {
    typename V::Vector m[side];
#pragma GCC unroll 8
    for (int row = 0; row < side; ++row) {
      const float* from = call.points + (row * side + column) * call.point_step + c;
      m[row] = Whole ? V::load(from) : V::load_some(from, last);
    }
    Transform<V, M>::output(m, half[column]);
  }
  const auto low = V::set(call.low), high = V::set(call.high);
  const auto bias = V::load(call.bias + c);
#pragma GCC unroll 8
  for (int row = 0; row < M; ++row) {
    if (row >= call.rows) break;
    typename V::Vector m[side], sums[M];
#pragma GCC unroll 8
    for (int column = 0; column < side; ++column) m[column] = half[column][row];
    Transform<V, M>::output(m, sums);
    float* y = call.y + row * call.row_step + c;
#pragma GCC unroll 8
    for (int column = 0; column < M; ++column, y += call.pixel_step) {
      if (column >= call.columns) break;
      const auto value = V::clamp(V::add(sums[column], bias), low, high);
      Whole ? V::store(y, value) : V::store_some(y, value, last);
    }
  }
}

template <typename V, int M>
void winograd_input(const WinogradInputCall& call) {
  const auto last = V::inside(call.channels % V::lanes);
  std::int64_t c = 0;
  for (; c + V::lanes <= call.channels; c += V::lanes) input_vector<V, M, true>(call, last, c);
  if (c < call.channels) input_vector<V, M, false>(call, last, c);
}

template <typename V, int M>
void winograd_output(const WinogradOutputCall& call) {
  const auto last = V::inside(call.channels % V::lanes);
  std::int64_t c = 0;
  for (; c + V::lanes <= call.channels; c += V::lanes) output_vector<V, M, true>(call, last, c);
  if (c < call.channels) output_vector<V, M, false>(call, last, c);
}

}  // namespace
}  // namespace adze::kernels
