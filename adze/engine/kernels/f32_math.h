#pragma once

// For files compiled for one instruction set. Everything in an unnamed namespace: no symbol may reach other files.
#include <cstdint>

namespace adze::kernels {
namespace {

/// Elementary functions on the vectors of F (f32_plain.h, f32_avx2.h, f32_avx512.h), which says how to multiply and add
/// and how to take a reciprocal. Polynomials are our own near-minimax fits (Chebyshev points, reweighted least squares)
/// of relative error below 5e-9; what remains is rounding.
template <typename F>
struct F32Math {
  using V = typename F::Vector;

  static V set(float value) { return F::set(value); }

  /// The polynomial with these coefficients, lowest first.
  template <int count>
  static V polynomial(V x, const float (&coefficients)[count]) {
    V sum = set(coefficients[count - 1]);
#pragma GCC unroll 16
    for (int i = count - 2; i >= 0; --i) sum = F::fma(sum, x, set(coefficients[i]));
    return sum;
  }

  /// 2^n of whole n in [-126, 127].
  static V power_of_two(V n) {
    if constexpr (F::lanes == 1) {
      const auto bits = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
      float result;
      __builtin_memcpy(&result, &bits, sizeof result);
      return result;
    } else {
      typedef std::int32_t Integers __attribute__((vector_size(F::lanes * 4)));
      const Integers bits = (__builtin_convertvector(n, Integers) + 127) << 23;
      return reinterpret_cast<const V&>(bits);
    }
  }

  /// The nearest whole number, of |x| < 2^22.
  static V round(V x) {
    const V magic = set(12582912.0f);
    return (x + magic) - magic;
  }

  static V clamp(V x, float low, float high) {
    return F::clamp(x, set(low), set(high));
  }

  /// x 2^n of whole n, in two halves so that results may be subnormal or infinite.
  static V scaled(V x, V n) {
    if constexpr (requires { F::scale(x, n); }) {
      return F::scale(x, n);
    } else {
      const V half = round(n * set(0.5f));
      return x * power_of_two(half) * power_of_two(n - half);
    }
  }

  /// 2^n e^r with x = n ln 2 + r; x in [-104, 89].
  static V exp_within(V x) {
    if constexpr (requires { F::exp_within(x); }) return F::exp_within(x);
    constexpr float coefficients[] = {1.0f,
                                      1.0f,
                                      0.49999991059303284f,
                                      0.16666419804096222f,
                                      0.0416682250798f,
                                      0.008374822326f,
                                      0.00138368911575526f};
    const V n = round(x * set(1.44269504f));
    const V r = F::fma(n, set(2.12194440e-4f), F::fma(n, set(-0.693359375f), x));  // ln 2 in two parts
    return scaled(polynomial(r, coefficients), n);
  }
  static V exp(V x) {
    return exp_within(clamp(x, -104.0f, 89.0f));
  }

  static V sigmoid(V x) {
    if constexpr (requires { F::sigmoid(x); }) return F::sigmoid(x);
    // The e^x form keeps small results exact to the last places.
    const V e = exp_within(clamp(x, -88.0f, 17.5f));
    return e * F::reciprocal(e + set(1.0f));
  }

  static V silu(V x) {
    if constexpr (requires { F::silu(x); }) return F::silu(x);
    return x * sigmoid(x);
  }

  static V gelu(V x) {
    if constexpr (requires { F::gelu(x); }) return F::gelu(x);
    return set(0.5f) * x * (set(1.0f) + erf(x * set(0.7071067811865476f)));
  }

  static V tanh(V x) {
    constexpr float coefficients[] = {1.0f,          -0.333333283662796f,   0.133331656455994f,    -0.053942646831274f,
                                      0.0216807369f, -0.00813176576048136f, 0.0021034034434705973f};
    const V square = x * x;
    const V near = x * polynomial(square, coefficients);
    const V e = exp_within(clamp(x + x, -40.0f, 40.0f));
    const V far = set(1.0f) - set(2.0f) * F::reciprocal(e + set(1.0f));
    return square < set(0.4f) ? near : far;
  }

  /// Near 0 a polynomial; elsewhere formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions
  /// (absolute error below 1.5e-7).
  static V erf(V x) {
    constexpr float near_coefficients[] = {1.128379225730896f,      -0.37612637877464294f,  0.11283782124519348f,
                                           -0.0268654003739357f,    0.005220945458859205f,  -0.0008482829434797168f,
                                           0.00011256954167038202f, -9.641534234106075e-06f};
    constexpr float far_coefficients[] = {0.254829592f, -0.284496736f, 1.421413741f, -1.453152027f, 1.061405429f};
    const V square = x * x;
    const V near = x * polynomial(square, near_coefficients);
    const V size = F::clamp(x < set(0.0f) ? -x : x, set(0.0f), set(10.0f));
    const V t = F::reciprocal(F::fma(size, set(0.3275911f), set(1.0f)));
    const V rest = t * polynomial(t, far_coefficients) * exp_within(-(size * size));
    const V far = set(1.0f) - rest;
    return square < set(1.0f) ? near : x < set(0.0f) ? -far : far;
  }
};

}  // namespace
}  // namespace adze::kernels
