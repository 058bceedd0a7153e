#include "tests/kernels/emulated_amx.h"

#include "adze/engine/kernels/conv_s8/tiles_amx.h"
#include "adze/engine/kernels/dense_bf16/tiles_amx.h"
#include "tests/kernels/emulated_tiles.h"

namespace adze::kernel_test {

void gemm_s8_emulated_amx(const kernels::GemmS8Call& call) {
  kernels::TileProducts<kernels::EmulatedTiles>(call).run();
}

void dense_bf16_emulated_amx(const kernels::DenseBf16Call& call) {
  kernels::Bf16TileProducts<kernels::EmulatedTiles>(call).run();
}

}  // namespace adze::kernel_test
