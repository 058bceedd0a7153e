#pragma once

// For the files of this family: each compiles it for its own instruction set. No symbol may reach other files.
#include <cmath>
#include <limits>

#include "adze/engine/kernels/f32_math.h"
#include "adze/engine/kernels/rows_f32/rows_f32_call.h"

namespace adze::kernels {
namespace {

/// Calls visit(vector, index, elements inside) for a row; lanes beyond its end are 0.
template <typename F, typename Visit>
[[gnu::always_inline]] inline void each_vector(const float* x, std::int64_t length, Visit visit) {
  std::int64_t i = 0;
  for (; i + F::lanes <= length; i += F::lanes) visit(F::load(x + i), i, F::inside(F::lanes));
  if (i < length) {
    const auto inside = F::inside(length - i);
    visit(F::load_some(x + i, inside), i, inside);
  }
}

template <typename F>
double sum_of(typename F::Vector v) {
  float lanes[F::lanes];
  __builtin_memcpy(lanes, &v, sizeof lanes);
  double sum = 0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

template <typename F>
float max_of(const float* x, std::int64_t length) {
  using V = typename F::Vector;
  V largest = F::set(x[0]);
  std::int64_t i = 0;
  for (; i + F::lanes <= length; i += F::lanes) {
    const V v = F::load(x + i);
    largest = v > largest ? v : largest;
  }
  float lanes[F::lanes];
  __builtin_memcpy(lanes, &largest, sizeof lanes);
  float result = lanes[0];
  for (const float lane : lanes) result = lane > result ? lane : result;
  for (; i < length; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

template <typename F>
inline void run_softmax(const RowsF32Call& call, bool logarithm) {
  using M = F32Math<F>;
  using V = typename F::Vector;
  for (std::int64_t r = 0; r < call.rows; ++r) {
    const float* x = call.x + r * call.length;
    float* y = call.y + r * call.length;
    const float largest = max_of<F>(x, call.length);
    const V shift = F::set(largest);
    V sums = F::set(0.0f);
    double rest = 0;
    std::int64_t i = 0;
    for (; i + F::lanes <= call.length; i += F::lanes) {
      const V e = M::exp(F::load(x + i) - shift);
      if (!logarithm) F::store(y + i, e);
      sums = sums + e;
    }
    if (i < call.length) {
      const auto inside = F::inside(call.length - i);
      const V e = M::exp(F::load_some(x + i, inside) - shift);
      float lanes[F::lanes];
      __builtin_memcpy(lanes, &e, sizeof lanes);
      for (std::int64_t j = 0; j < call.length - i; ++j) rest += static_cast<double>(lanes[j]);
      if (!logarithm) F::store_some(y + i, e, inside);
    }
    const double sum = sum_of<F>(sums) + rest;
    if (logarithm) {
      const V offset = F::set(largest + static_cast<float>(std::log(sum)));
      each_vector<F>(x, call.length,
                     [&](V v, std::int64_t at, auto inside) { F::store_some(y + at, v - offset, inside); });
    } else {
      const V scale = F::set(static_cast<float>(1.0 / sum));
      each_vector<F>(y, call.length,
                     [&](V v, std::int64_t at, auto inside) { F::store_some(y + at, v * scale, inside); });
    }
  }
}

template <typename F>
inline void run_layer_norm(const RowsF32Call& call, const float* scale, const float* bias, float epsilon) {
  using V = typename F::Vector;
  const auto length = static_cast<double>(call.length);
  for (std::int64_t r = 0; r < call.rows; ++r) {
    const float* x = call.x + r * call.length;
    float* y = call.y + r * call.length;
    V sums = F::set(0.0f);
    each_vector<F>(x, call.length, [&](V v, std::int64_t, auto) { sums = sums + v; });
    const double mean = sum_of<F>(sums) / length;
    const V center = F::set(static_cast<float>(mean));
    V squares = F::set(0.0f);
    std::int64_t i = 0;
    for (; i + F::lanes <= call.length; i += F::lanes) {
      const V d = F::load(x + i) - center;
      squares = F::fma(d, d, squares);
    }
    double variance = sum_of<F>(squares);
    for (; i < call.length; ++i) {
      const double d = static_cast<double>(x[i]) - mean;
      variance += d * d;
    }
    const V factor = F::set(static_cast<float>(1.0 / std::sqrt(variance / length + static_cast<double>(epsilon))));
    each_vector<F>(x, call.length, [&](V v, std::int64_t at, auto inside) {
      V result = (v - center) * factor * F::load_some(scale + at, inside);
      if (bias != nullptr) result = result + F::load_some(bias + at, inside);
      F::store_some(y + at, result, inside);
    });
  }
}

}  // namespace
}  // namespace adze::kernels
