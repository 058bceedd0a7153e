#include "adze/engine/kernels/conv_s8/tiles_amx.h"

namespace adze::kernels {

void gemm_s8_avx512vnni(const GemmS8Call& call);

/// Few rows leave most of a tile's products unused, and shallow sums most of its depth: vectors take those. The bounds
/// are estimates: 1024 products a cycle in a full tile against 128, and 16 cycles for a tile however empty.
void gemm_s8_amx(const GemmS8Call& call) {
  constexpr std::int64_t least_rows = 4, least_quads = 6;
  if (call.row_count < least_rows || call.quads < least_quads) return gemm_s8_avx512vnni(call);
  TileProducts<AmxTiles>(call).run();
}

}  // namespace adze::kernels
