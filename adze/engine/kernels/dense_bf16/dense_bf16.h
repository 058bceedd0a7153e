#pragma once

#include <cstdint>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/dense_bf16/dense_bf16_call.h"
#include "adze/engine/kernels/dense_f32/dense_f32.h"

namespace adze::kernels {

using DenseBf16 = void (*)(const DenseBf16Call&);

/// One line of dense_bf16.def.
struct DenseBf16Kernel {
  const char* name;
  Isa isa;
  double tolerance;  ///< |y - sums of rounded inputs| <= tolerance * (1 + sum of |x * w|)
  DenseBf16 run;
};
std::span<const DenseBf16Kernel> dense_bf16_kernels();
/// The first kernel of the table that the instruction set allows; null: none.
const DenseBf16Kernel* dense_bf16_kernel(Isa isa);

/// What goes before a product, for machines that have a kernel.
void round_bf16_rows(const Bf16RowsCall& call);
void pack_bf16_weights(const Bf16WeightsCall& call);

inline constexpr std::int64_t dense_bf16_block = 16;

/// How a row's segments become pairs: each in whole pairs, the sum of them filled up to whole tiles of the same size.
std::int64_t dense_bf16_pairs(std::int64_t segments, std::int64_t depth);
/// Numbers from one row to the next: rows that tiles load do not all lie in the same lines of the cache.
std::int64_t dense_bf16_row_stride(std::int64_t pairs);
inline std::int64_t packed_dense_bf16_size(std::int64_t columns, std::int64_t pairs) {
  return (columns + dense_bf16_block - 1) / dense_bf16_block * dense_bf16_block * pairs * 2;
}
/// Weights of which the source's taps * inputs make segments of the given depth. to: packed_dense_bf16_size numbers,
/// all zero.
void pack_dense_bf16(const DenseF32Source& source, std::int64_t segment_depth, std::int64_t pairs, std::uint16_t* to);

}  // namespace adze::kernels
