#pragma once

// For files compiled for AVX2 only. Everything in an unnamed namespace: no symbol may reach other files.
#include <immintrin.h>

#include <cstdint>

namespace adze::kernels {
namespace {

/// What float kernels written once for all instruction sets need of this one.
struct F32 {
  using Vector = __m256;
  using Mask = __m256i;
  static constexpr int lanes = 8;
  /// The first count elements.
  static Mask inside(std::int64_t count) {
    const __m256i indices = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count > 8 ? 8 : count)), indices);
  }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector load_some(const float* p, Mask inside) { return _mm256_maskload_ps(p, inside); }
  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static void store_some(float* p, Vector v, Mask inside) { _mm256_maskstore_ps(p, inside, v); }
  static void fetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1); }
  static Vector broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static Vector set(float value) { return _mm256_set1_ps(value); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector divide(Vector a, Vector b) { return _mm256_div_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  /// The larger; b where it is not a number.
  static Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  /// Not-a-number passes.
  static Vector clamp(Vector v, Vector low, Vector high) { return _mm256_min_ps(high, _mm256_max_ps(low, v)); }
};

}  // namespace
}  // namespace adze::kernels
