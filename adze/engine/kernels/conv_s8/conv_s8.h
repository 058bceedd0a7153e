#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"

namespace adze::kernels {

using GemmS8 = void (*)(const GemmS8Call&);

/// One line of conv_s8.def.
struct GemmS8Kernel {
  const char* name;
  Isa isa;
  GemmS8 run;
  bool copies_rows;  ///< needs tiles_together and scratch of gemm_s8_scratch()
};
std::span<const GemmS8Kernel> gemm_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const GemmS8Kernel& gemm_s8_kernel(Isa isa);

/// tiles_together of a GemmS8Call of up to so many rows, and the bytes of scratch that go with it.
struct GemmS8Scratch {
  std::int64_t tiles_together, bytes;
};
GemmS8Scratch gemm_s8_scratch(std::int64_t rows, std::int64_t columns, std::int64_t quads);

inline constexpr std::int64_t gemm_s8_block = 16;

/// Bytes of packed weights; segments are padded to 4 bytes, columns to a block.
std::int64_t packed_gemm_s8_bytes(std::int64_t columns, std::int64_t segments, std::int64_t segment_bytes);
/// Weights [columns][segments][bytes of a segment] in the order that kernels read. to: all zero.
void pack_gemm_s8(const std::int8_t* weights, std::int64_t columns, std::int64_t segments, std::int64_t segment_bytes,
                  std::int8_t* to);

}  // namespace adze::kernels
