#include "adze/engine/kernels/quantize_f32/quantize_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_QUANTIZE_F32(name, isa) void name(const QuantizeF32Call&, const float*, std::uint8_t*);
#define ADZE_DEQUANTIZE_F32(name, isa) void name(const QuantizeF32Call&, const std::uint8_t*, float*);
#define ADZE_RANGE_F32(name, isa) RangeF32 name(const float*, std::int64_t);
#include "adze/engine/kernels/quantize_f32/quantize_f32.def"
#undef ADZE_QUANTIZE_F32
#undef ADZE_DEQUANTIZE_F32
#undef ADZE_RANGE_F32

namespace {

template <typename Run>
const QuantizeLine<Run>& best(std::span<const QuantizeLine<Run>> lines, Isa isa) {
  for (const QuantizeLine<Run>& line : lines) {
    if (isa_allows(isa, line.isa)) return line;
  }
  throw InternalError("quantize_f32 has no plain kernel");
}

}  // namespace

std::span<const QuantizeLine<QuantizeF32>> quantize_f32_kernels() {
  static const QuantizeLine<QuantizeF32> kernels[] = {
#define ADZE_QUANTIZE_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/quantize_f32/quantize_f32.def"
#undef ADZE_QUANTIZE_F32
  };
  return kernels;
}

std::span<const QuantizeLine<DequantizeF32>> dequantize_f32_kernels() {
  static const QuantizeLine<DequantizeF32> kernels[] = {
#define ADZE_DEQUANTIZE_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/quantize_f32/quantize_f32.def"
#undef ADZE_DEQUANTIZE_F32
  };
  return kernels;
}

std::span<const QuantizeLine<RangeOfF32>> range_f32_kernels() {
  static const QuantizeLine<RangeOfF32> kernels[] = {
#define ADZE_RANGE_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/quantize_f32/quantize_f32.def"
#undef ADZE_RANGE_F32
  };
  return kernels;
}

const QuantizeLine<QuantizeF32>& quantize_f32_kernel(Isa isa) {
  return best(quantize_f32_kernels(), isa);
}

const QuantizeLine<DequantizeF32>& dequantize_f32_kernel(Isa isa) {
  return best(dequantize_f32_kernels(), isa);
}

const QuantizeLine<RangeOfF32>& range_f32_kernel(Isa isa) {
  return best(range_f32_kernels(), isa);
}

}  // namespace adze::kernels
