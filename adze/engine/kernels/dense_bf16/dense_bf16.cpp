#include "adze/engine/kernels/dense_bf16/dense_bf16.h"

#include <cstring>

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_DENSE_BF16(name, isa, tolerance) void name(const DenseBf16Call&);
#include "adze/engine/kernels/dense_bf16/dense_bf16.def"
#undef ADZE_DENSE_BF16
void round_bf16_rows_avx512bf16(const Bf16RowsCall& call);
void pack_bf16_weights_avx512bf16(const Bf16WeightsCall& call);

namespace {

/// To nearest even, as the instructions do it: denormal numbers to zero, not-a-number stays one.
std::uint16_t to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7f800000u) == 0) return static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace

std::span<const DenseBf16Kernel> dense_bf16_kernels() {
#if defined(__x86_64__)
  static const DenseBf16Kernel kernels[] = {
#define ADZE_DENSE_BF16(name, isa, tolerance) {#name, Isa::isa, tolerance, name},
#include "adze/engine/kernels/dense_bf16/dense_bf16.def"
#undef ADZE_DENSE_BF16
  };
  return kernels;
#else
  return {};
#endif
}

const DenseBf16Kernel* dense_bf16_kernel(Isa isa) {
  for (const DenseBf16Kernel& kernel : dense_bf16_kernels()) {
    if (isa_allows(isa, kernel.isa)) return &kernel;
  }
  return nullptr;
}

void round_bf16_rows([[maybe_unused]] const Bf16RowsCall& call) {
#if defined(__x86_64__)
  return round_bf16_rows_avx512bf16(call);
#else
  throw InternalError("no kernel for bf16 on this processor");
#endif
}

void pack_bf16_weights([[maybe_unused]] const Bf16WeightsCall& call) {
#if defined(__x86_64__)
  return pack_bf16_weights_avx512bf16(call);
#else
  throw InternalError("no kernel for bf16 on this processor");
#endif
}

std::int64_t dense_bf16_pairs(std::int64_t segments, std::int64_t depth) {
  const std::int64_t pairs = segments * ((depth + 1) / 2), tiles = (pairs + 15) / 16;
  return (pairs + tiles - 1) / tiles * tiles;
}

std::int64_t dense_bf16_row_stride(std::int64_t pairs) {
  const std::int64_t numbers = (2 * pairs + 31) / 32 * 32;
  return numbers % 1024 == 0 ? numbers + 32 : numbers;
}

void pack_dense_bf16(const DenseF32Source& source, std::int64_t segment_depth, std::int64_t pairs, std::uint16_t* to) {
  const std::int64_t segment_pairs = (segment_depth + 1) / 2, pair_size = 2 * dense_bf16_block;
  for (std::int64_t j = 0; j < source.columns; ++j) {
    std::uint16_t* column = to + j / dense_bf16_block * pairs * pair_size + j % dense_bf16_block * 2;
    const Elements<float> from = source.weights + j * source.column_step;
    for (std::int64_t tap = 0; tap < source.taps; ++tap) {
      for (std::int64_t i = 0; i < source.inputs; ++i) {
        const std::int64_t k = tap * source.inputs + i, segment = k / segment_depth, at = k % segment_depth;
        column[(segment * segment_pairs + at / 2) * pair_size + at % 2] =
            to_bf16(source.factor * from[tap * source.tap_step + i * source.input_step]);
      }
    }
  }
}

}  // namespace adze::kernels
