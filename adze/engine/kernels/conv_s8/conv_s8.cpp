#include "adze/engine/kernels/conv_s8/conv_s8.h"

#include <algorithm>
#include <cstring>

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_GEMM_S8(name, isa, tiles) void name(const GemmS8Call&);
#include "adze/engine/kernels/conv_s8/conv_s8.def"
#undef ADZE_GEMM_S8

std::span<const GemmS8Kernel> gemm_s8_kernels() {
  static const GemmS8Kernel kernels[] = {
#define ADZE_GEMM_S8(name, isa, tiles) {#name, Isa::isa, name, tiles},
#include "adze/engine/kernels/conv_s8/conv_s8.def"
#undef ADZE_GEMM_S8
  };
  return kernels;
}

const GemmS8Kernel& gemm_s8_kernel(Isa isa) {
  for (const GemmS8Kernel& kernel : gemm_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("gemm_s8 has no plain kernel");
}

GemmS8Scratch gemm_s8_scratch(std::int64_t rows, std::int64_t columns, std::int64_t quads) {
  constexpr std::int64_t near_weights_bytes =
      1 << 20;  // stay in the L2 cache while a pair of tiles after the other passes
  const std::int64_t pairs = (rows + 31) / 32, weights_bytes = columns * quads * 4;
  const std::int64_t tiles = weights_bytes <= near_weights_bytes ? 2 : std::min(2 * pairs, gemm_s8_most_tiles);
  return {tiles, tiles * ((quads + 15) / 16) * 1024};
}

std::int64_t packed_gemm_s8_bytes(std::int64_t columns, std::int64_t segments, std::int64_t segment_bytes) {
  const std::int64_t quads = (segment_bytes + 3) / 4, blocks = (columns + gemm_s8_block - 1) / gemm_s8_block;
  return blocks * segments * quads * gemm_s8_block * 4;
}

void pack_gemm_s8(const std::int8_t* weights, std::int64_t columns, std::int64_t segments, std::int64_t segment_bytes,
                  std::int8_t* to) {
  const std::int64_t quads = (segment_bytes + 3) / 4, quad_bytes = gemm_s8_block * 4;
  for (std::int64_t j = 0; j < columns; ++j) {
    std::int8_t* column = to + j / gemm_s8_block * segments * quads * quad_bytes + j % gemm_s8_block * 4;
    for (std::int64_t s = 0; s < segments; ++s, weights += segment_bytes, column += quads * quad_bytes) {
      for (std::int64_t q = 0; q < quads; ++q) {
        const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(4, segment_bytes - 4 * q));
        std::memcpy(column + q * quad_bytes, weights + 4 * q, bytes);
      }
    }
  }
}

}  // namespace adze::kernels
