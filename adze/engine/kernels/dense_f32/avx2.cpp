#include <immintrin.h>

#include "adze/engine/kernels/dense_f32/tile.h"

namespace adze::kernels {

namespace {

struct Ymm {
  using Vector = __m256;
  static constexpr int lanes = 8;
  static __m256i inside(std::int64_t count) {
    const __m256i all = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count > 8 ? 8 : count)), all);
  }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector load_some(const float* p, __m256i inside) { return _mm256_maskload_ps(p, inside); }
  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static void store_some(float* p, Vector v, __m256i inside) { _mm256_maskstore_ps(p, inside, v); }
  static Vector broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static Vector set(float value) { return _mm256_set1_ps(value); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector clamp(Vector v, Vector low, Vector high) {
    return _mm256_min_ps(high, _mm256_max_ps(low, v));  // not-a-number passes
  }
};

constexpr Tile tiles_1[] = {tile<Ymm, 1, 1>, tile<Ymm, 2, 1>, tile<Ymm, 3, 1>, tile<Ymm, 4, 1>, tile<Ymm, 5, 1>,
                            tile<Ymm, 6, 1>, tile<Ymm, 7, 1>, tile<Ymm, 8, 1>, tile<Ymm, 9, 1>, tile<Ymm, 10, 1>};
constexpr Tile tiles_2[] = {tile<Ymm, 1, 2>, tile<Ymm, 2, 2>, tile<Ymm, 3, 2>,
                            tile<Ymm, 4, 2>, tile<Ymm, 5, 2>, tile<Ymm, 6, 2>};

}  // namespace

void dense_f32_avx2(const DenseF32Call& call) {
  call.vectors == 1 ? run_tiles(call, tiles_1, 10) : run_tiles(call, tiles_2, 6);
}

}  // namespace adze::kernels
