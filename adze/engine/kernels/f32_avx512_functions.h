#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/f32_avx512.h"

namespace adze::kernels {
namespace {

/// Numbers at 32 points, two vectors of a table that vpermi2ps looks up. Made when compiled.
struct alignas(64) Table32 {
  float at[32];
};

constexpr double exponential(double x) {  // of |x| < 20
  double sum = 1.0, term = 1.0;
  for (int i = 1; i < 120; ++i) sum += term *= x / i;
  return sum;
}

constexpr Table32 make_powers() {
  Table32 table{};
  for (int i = 0; i < 32; ++i) table.at[i] = static_cast<float>(exponential(i * 0.69314718055994531 / 32));
  return table;
}

/// 2^(i / 32)
constexpr Table32 powers = make_powers();

constexpr double gelu_step = 6.2 / 32;  ///< from one point to the next

/// The area under the normal distribution between 0 and x around 32 points, as polynomials of the distance in steps:
/// Taylor's, of the fourth degree. Beyond the last point it is one half.
struct NormalTables {
  Table32 power[5];
};

constexpr NormalTables make_normal() {
  NormalTables tables{};
  for (int i = 0; i < 32; ++i) {
    const double c = i * gelu_step, w = gelu_step, density = 0.3989422804014327 / exponential(c * c / 2);
    double area = 0.0, term = c;
    for (int k = 1; k < 120; ++k, term *= c * c / (2 * k - 1)) area += term;
    const bool last = i == 31;
    const double coefficients[5] = {last ? 0.5 : area * density, density * w, -c * density * w * w / 2,
                                    (c * c - 1) * density * w * w * w / 6,
                                    (3 * c - c * c * c) * density * w * w * w * w / 24};
    for (int k = 0; k < 5; ++k) tables.power[k].at[i] = last && k > 0 ? 0.0f : static_cast<float>(coefficients[k]);
  }
  return tables;
}

constexpr NormalTables normal = make_normal();

struct F32Functions : F32 {
  static Vector reciprocal(Vector v) { return _mm512_div_ps(_mm512_set1_ps(1.0f), v); }
  static Vector sqrt(Vector v) { return _mm512_sqrt_ps(v); }

  /// The table's entry for the lowest five bits.
  static Vector look_up(const Table32& table, Vector index) {
    return _mm512_permutex2var_ps(_mm512_load_ps(table.at), _mm512_castps_si512(index), _mm512_load_ps(table.at + 16));
  }

  /// e^(sign x) of |x| < 110 with x log2 e = sign (n + r), where n is a multiple of 1/32 whose whole part scales what
  /// the table and a polynomial of the rest give; results may be subnormal or infinite. precise: with both halves of
  /// log2 e, which large results need. The polynomial's error is 5e-8.
  template <int sign, bool precise>
  static Vector exp_of(Vector x) {
    const Vector to_whole = _mm512_set1_ps(393216.0f);  // 1.5 * 2^18: five bits of fraction remain
    const Vector log2e = _mm512_set1_ps(sign * 1.44269502f);
    const Vector shifted = _mm512_fmadd_ps(x, log2e, to_whole), n = _mm512_sub_ps(shifted, to_whole);
    Vector r = _mm512_fmsub_ps(x, log2e, n);
    if constexpr (precise) r = _mm512_fmadd_ps(x, _mm512_set1_ps(sign * 1.925963033500e-8f), r);
    const Vector rest = _mm512_mul_ps(r, _mm512_fmadd_ps(r, _mm512_set1_ps(0.240226507f), _mm512_set1_ps(0.69315735f)));
    const Vector power = look_up(powers, shifted);
    return _mm512_scalef_ps(_mm512_fmadd_ps(power, rest, power), n);
  }
  static Vector exp_within(Vector x) { return exp_of<1, true>(x); }

  static Vector sigmoid(Vector x) {
    const Vector within = clamp(x, _mm512_set1_ps(-87.0f), _mm512_set1_ps(87.0f));
    return reciprocal(_mm512_add_ps(_mm512_set1_ps(1.0f), exp_of<-1, false>(within)));
  }
  static Vector silu(Vector x) {
    constexpr int smaller_size_sign_of_first = 2;
    const Vector within = _mm512_range_ps(x, _mm512_set1_ps(87.0f), smaller_size_sign_of_first);
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), exp_of<-1, false>(within)));
  }

  /// x times the normal distribution's share below x.
  static Vector gelu(Vector x) {
    const Vector to_whole = _mm512_set1_ps(12582912.0f);  // 1.5 * 2^23
    const Vector per_step = _mm512_set1_ps(static_cast<float>(1 / gelu_step));
    const Vector size = _mm512_abs_ps(x);
    const Vector within = _mm512_min_ps(size, _mm512_set1_ps(static_cast<float>(31 * gelu_step)));
    const Vector index = _mm512_fmadd_ps(within, per_step, to_whole);
    const Vector r = _mm512_fmsub_ps(within, per_step, _mm512_sub_ps(index, to_whole));
    Vector area = look_up(normal.power[4], index);
#pragma GCC unroll 4
    for (int k = 3; k >= 0; --k) area = _mm512_fmadd_ps(area, r, look_up(normal.power[k], index));
    return _mm512_fmadd_ps(size, area, _mm512_mul_ps(x, _mm512_set1_ps(0.5f)));
  }
};

}  // namespace
}  // namespace adze::kernels
