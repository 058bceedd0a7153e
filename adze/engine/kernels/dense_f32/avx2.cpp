#include "adze/engine/kernels/dense_f32/tile.h"
#include "adze/engine/kernels/f32_avx2.h"

namespace adze::kernels {

namespace {

constexpr Tile tiles_1[] = {tile<F32, 1, 1>, tile<F32, 2, 1>, tile<F32, 3, 1>, tile<F32, 4, 1>, tile<F32, 5, 1>,
                            tile<F32, 6, 1>, tile<F32, 7, 1>, tile<F32, 8, 1>, tile<F32, 9, 1>, tile<F32, 10, 1>};
constexpr Tile tiles_2[] = {tile<F32, 1, 2>, tile<F32, 2, 2>, tile<F32, 3, 2>,
                            tile<F32, 4, 2>, tile<F32, 5, 2>, tile<F32, 6, 2>};

}  // namespace

void dense_f32_avx2(const DenseF32Call& call) {
  call.vectors == 1 ? run_tiles(call, tiles_1, 10) : run_tiles(call, tiles_2, 6);
}

void dense_f32_avx2_scale(const DenseF32Scale& call) {
  scale_rows<F32>(call);
}

}  // namespace adze::kernels
