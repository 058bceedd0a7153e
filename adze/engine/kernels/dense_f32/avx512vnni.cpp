#include <immintrin.h>

#include "adze/engine/kernels/dense_f32/tile.h"

namespace adze::kernels {

namespace {

struct Zmm {
  using Vector = __m512;
  static constexpr int lanes = 16;
  static __mmask16 inside(std::int64_t count) {
    return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << count) - 1);
  }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector load_some(const float* p, __mmask16 inside) { return _mm512_maskz_loadu_ps(inside, p); }
  static void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static void store_some(float* p, Vector v, __mmask16 inside) { _mm512_mask_storeu_ps(p, inside, v); }
  static void fetch(const float* p) { _mm_prefetch(p, _MM_HINT_T1); }
  static Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Vector set(float value) { return _mm512_set1_ps(value); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector clamp(Vector v, Vector low, Vector high) {
    return _mm512_min_ps(high, _mm512_max_ps(low, v));  // not-a-number passes
  }
};

constexpr Tile tiles_1[] = {tile<Zmm, 1, 1>, tile<Zmm, 2, 1>,  tile<Zmm, 3, 1>,  tile<Zmm, 4, 1>,
                            tile<Zmm, 5, 1>, tile<Zmm, 6, 1>,  tile<Zmm, 7, 1>,  tile<Zmm, 8, 1>,
                            tile<Zmm, 9, 1>, tile<Zmm, 10, 1>, tile<Zmm, 11, 1>, tile<Zmm, 12, 1>};
constexpr Tile tiles_2[] = {tile<Zmm, 1, 2>, tile<Zmm, 2, 2>,  tile<Zmm, 3, 2>,  tile<Zmm, 4, 2>,
                            tile<Zmm, 5, 2>, tile<Zmm, 6, 2>,  tile<Zmm, 7, 2>,  tile<Zmm, 8, 2>,
                            tile<Zmm, 9, 2>, tile<Zmm, 10, 2>, tile<Zmm, 11, 2>, tile<Zmm, 12, 2>};
constexpr Tile tiles_3[] = {tile<Zmm, 1, 3>, tile<Zmm, 2, 3>, tile<Zmm, 3, 3>, tile<Zmm, 4, 3>,
                            tile<Zmm, 5, 3>, tile<Zmm, 6, 3>, tile<Zmm, 7, 3>, tile<Zmm, 8, 3>};
constexpr Tile tiles_4[] = {tile<Zmm, 1, 4>, tile<Zmm, 2, 4>, tile<Zmm, 3, 4>,
                            tile<Zmm, 4, 4>, tile<Zmm, 5, 4>, tile<Zmm, 6, 4>};

}  // namespace

void dense_f32_avx512vnni(const DenseF32Call& call) {
  switch (call.vectors) {
    case 1:
      return run_tiles(call, tiles_1, 12);
    case 2:
      return run_tiles(call, tiles_2, 12);
    case 3:
      return run_tiles(call, tiles_3, 8);
    default:
      return run_tiles(call, tiles_4, 6);
  }
}

}  // namespace adze::kernels
