#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/quantize_f32/quantize_f32_call.h"

namespace adze::kernels {

using QuantizeF32 = void (*)(const QuantizeF32Call&, const float* real, std::uint8_t* quantized);
using DequantizeF32 = void (*)(const QuantizeF32Call&, const std::uint8_t* quantized, float* real);

using RangeOfF32 = RangeF32 (*)(const float* x, std::int64_t count);

/// One line of quantize_f32.def.
template <typename Run>
struct QuantizeLine {
  const char* name;
  Isa isa;
  Run run;
};
std::span<const QuantizeLine<QuantizeF32>> quantize_f32_kernels();
std::span<const QuantizeLine<DequantizeF32>> dequantize_f32_kernels();
std::span<const QuantizeLine<RangeOfF32>> range_f32_kernels();
/// The first line of each table that the instruction set allows.
const QuantizeLine<QuantizeF32>& quantize_f32_kernel(Isa isa);
const QuantizeLine<DequantizeF32>& dequantize_f32_kernel(Isa isa);
const QuantizeLine<RangeOfF32>& range_f32_kernel(Isa isa);

}  // namespace adze::kernels
