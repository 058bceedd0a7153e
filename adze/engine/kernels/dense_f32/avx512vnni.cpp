#include "adze/engine/kernels/dense_f32/tile.h"
#include "adze/engine/kernels/f32_avx512.h"

namespace adze::kernels {

namespace {

constexpr Tile tiles_1[] = {tile<F32, 1, 1>, tile<F32, 2, 1>,  tile<F32, 3, 1>,  tile<F32, 4, 1>,
                            tile<F32, 5, 1>, tile<F32, 6, 1>,  tile<F32, 7, 1>,  tile<F32, 8, 1>,
                            tile<F32, 9, 1>, tile<F32, 10, 1>, tile<F32, 11, 1>, tile<F32, 12, 1>};
constexpr Tile tiles_2[] = {tile<F32, 1, 2>, tile<F32, 2, 2>,  tile<F32, 3, 2>,  tile<F32, 4, 2>,
                            tile<F32, 5, 2>, tile<F32, 6, 2>,  tile<F32, 7, 2>,  tile<F32, 8, 2>,
                            tile<F32, 9, 2>, tile<F32, 10, 2>, tile<F32, 11, 2>, tile<F32, 12, 2>};
constexpr Tile tiles_3[] = {tile<F32, 1, 3>, tile<F32, 2, 3>, tile<F32, 3, 3>, tile<F32, 4, 3>,
                            tile<F32, 5, 3>, tile<F32, 6, 3>, tile<F32, 7, 3>, tile<F32, 8, 3>};
constexpr Tile tiles_4[] = {tile<F32, 1, 4>, tile<F32, 2, 4>, tile<F32, 3, 4>,
                            tile<F32, 4, 4>, tile<F32, 5, 4>, tile<F32, 6, 4>};

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

void dense_f32_avx512vnni_scale(const DenseF32Scale& call) {
  scale_rows<F32>(call);
}

}  // namespace adze::kernels
