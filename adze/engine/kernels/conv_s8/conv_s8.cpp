#include "adze/engine/kernels/conv_s8/conv_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_GEMM_S8(name, isa) void name(const GemmS8Call&);
#include "adze/engine/kernels/conv_s8/conv_s8.def"
#undef ADZE_GEMM_S8

std::span<const GemmS8Kernel> gemm_s8_kernels() {
  static const GemmS8Kernel kernels[] = {
#define ADZE_GEMM_S8(name, isa) {#name, Isa::isa, name},
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

std::vector<std::int8_t> pack_gemm_s8(const std::vector<std::int8_t>& weights, std::int64_t columns,
                                      std::int64_t segments, std::int64_t segment_bytes) {
  const std::int64_t quads = (segment_bytes + 3) / 4;
  const std::int64_t blocks = (columns + gemm_s8_block - 1) / gemm_s8_block;
  std::vector<std::int8_t> packed(static_cast<std::size_t>(blocks * segments * quads * gemm_s8_block * 4), 0);
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t s = 0; s < segments; ++s) {
      for (std::int64_t i = 0; i < segment_bytes; ++i) {
        const std::int64_t quad =
            ((j / gemm_s8_block * segments + s) * quads + i / 4) * gemm_s8_block + j % gemm_s8_block;
        packed[static_cast<std::size_t>(quad * 4 + i % 4)] =
            weights[static_cast<std::size_t>((j * segments + s) * segment_bytes + i)];
      }
    }
  }
  return packed;
}

}  // namespace adze::kernels
