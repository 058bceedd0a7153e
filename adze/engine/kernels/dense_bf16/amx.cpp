#include "adze/engine/kernels/dense_bf16/tiles_amx.h"

namespace adze::kernels {

void dense_bf16_amx(const DenseBf16Call& call) {
  Bf16TileProducts<AmxTiles>(call).run();
}

}  // namespace adze::kernels
