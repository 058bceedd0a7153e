#include "adze/engine/kernels/neon_requantize.h"
#include "adze/engine/kernels/quantize_f32/quantize_f32_call.h"

namespace adze::kernels {
namespace {

/// As the kernels of whole tensors see it: what it takes to turn 16 floats into bytes and back.
struct Quantizer {
  float32x4_t scale;
  int16x8_t zero_point;
  uint8x16_t low, high, flip;

  explicit Quantizer(const QuantizeF32Call& call)
      : scale(vdupq_n_f32(call.scale)),
        zero_point(vdupq_n_s16(static_cast<std::int16_t>(call.zero_point))),
        low(vdupq_n_u8(static_cast<std::uint8_t>(call.low))),
        high(vdupq_n_u8(static_cast<std::uint8_t>(call.high))),
        flip(vdupq_n_u8(call.flip)) {}

  /// The conversion rounds half to even, saturates, and gives 0 for NaN.
  [[gnu::always_inline]] int32x4_t rounded(const float* real) const {
    return vcvtnq_s32_f32(vdivq_f32(vld1q_f32(real), scale));
  }
  [[gnu::always_inline]] int16x8_t eight(const float* real) const {
    return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(rounded(real)), rounded(real + 4)), zero_point);
  }
  [[gnu::always_inline]] uint8x16_t sixteen(const float* real) const {
    const uint8x16_t bytes = vqmovun_high_s16(vqmovun_s16(eight(real)), eight(real + 8));
    return veorq_u8(vminq_u8(vmaxq_u8(bytes, low), high), flip);
  }

  [[gnu::always_inline]] void reals(int16x8_t bytes, float* real) const {
    const int16x8_t offset = vsubq_s16(bytes, zero_point);
    vst1q_f32(real, vmulq_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(offset))), scale));
    vst1q_f32(real + 4, vmulq_f32(vcvtq_f32_s32(vmovl_high_s16(offset)), scale));
  }
  [[gnu::always_inline]] void sixteen_reals(uint8x16_t quantized, float* real) const {
    const uint8x16_t bytes = veorq_u8(quantized, flip);
    reals(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes))), real);
    reals(vreinterpretq_s16_u16(vmovl_high_u8(bytes)), real + 8);
  }
};

}  // namespace

void quantize_f32_neon(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized) {
  const Quantizer quantizer(call);
  std::int64_t i = 0;
  for (; i + 16 <= call.count; i += 16) vst1q_u8(quantized + i, quantizer.sixteen(real + i));
  if (i == call.count) return;
  float rest[16] = {};
  for (std::int64_t j = i; j < call.count; ++j) rest[j - i] = real[j];
  store_first(quantized + i, quantizer.sixteen(rest), call.count - i);
}

void dequantize_f32_neon(const QuantizeF32Call& call, const std::uint8_t* quantized, float* real) {
  const Quantizer quantizer(call);
  std::int64_t i = 0;
  for (; i + 16 <= call.count; i += 16) quantizer.sixteen_reals(vld1q_u8(quantized + i), real + i);
  if (i == call.count) return;
  float rest[16];
  quantizer.sixteen_reals(load_first(quantized + i, call.count - i), rest);
  for (std::int64_t j = i; j < call.count; ++j) real[j] = rest[j - i];
}

}  // namespace adze::kernels
