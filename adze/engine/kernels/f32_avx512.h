#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include <immintrin.h>

#include <cstdint>

namespace adze::kernels {
namespace {

/// What float kernels written once for all instruction sets need of this one.
struct F32 {
  using Vector = __m512;
  using Mask = __mmask16;
  static constexpr int lanes = 16;
  /// The first count elements.
  static Mask inside(std::int64_t count) { return static_cast<Mask>(count >= 16 ? 0xFFFF : (1 << count) - 1); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector load_some(const float* p, Mask inside) { return _mm512_maskz_loadu_ps(inside, p); }
  static void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static void store_some(float* p, Vector v, Mask inside) { _mm512_mask_storeu_ps(p, inside, v); }
  static void fetch(const float* p) { _mm_prefetch(p, _MM_HINT_T1); }
  static Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Vector set(float value) { return _mm512_set1_ps(value); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector divide(Vector a, Vector b) { return _mm512_div_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  /// The larger; b where it is not a number.
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  /// Not-a-number passes.
  static Vector clamp(Vector v, Vector low, Vector high) { return _mm512_min_ps(high, _mm512_max_ps(low, v)); }
};

}  // namespace
}  // namespace adze::kernels
