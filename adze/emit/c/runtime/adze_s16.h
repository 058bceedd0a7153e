/* Layers on 16-bit activations (symmetric: zero point 0) and what they call. */
#ifndef ADZE_S16_H
#define ADZE_S16_H

#include "adze_requantize.h"

/* adze_output.kind and adze_channel as for bytes, except

   ADZE_FAST   no sum leaves 32 bits; (floor(sum * multiplier / 2^32) + offset) >> shift
   ADZE_WIDE   sums of 64 bits; (sum * multiplier + 2^(shift - 1)) >> shift

   A bias that may have 64 bits is offset * 2^32 + (uint32_t)bias, but for ADZE_FAST. */
enum { ADZE_WIDE = 4 };

/* sum + floor(a * b / 2^32). */
ADZE_INLINE int32_t adze_high_word(int32_t a, int32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return (int32_t)((uint32_t)sum + (uint32_t)((uint64_t)((int64_t)a * b) >> 32));
#endif
}

ADZE_INLINE int16_t adze_clamp_s16(int64_t x, const adze_output* out) {
  return (int16_t)(x < out->min ? out->min : x > out->max ? out->max : x);
}

/* clamp(sum * multiplier). */
ADZE_INLINE int16_t adze_finish_s16(int32_t sum, const adze_channel* by, const adze_output* out) {
  switch (out->kind) {
    case ADZE_FAST:
      return (int16_t)adze_clamp(adze_shift_right(adze_high_word(sum, by->multiplier, by->offset), by->shift), out);
    case ADZE_TWICE:
      return (int16_t)adze_clamp(adze_multiply_twice(sum, by->multiplier, by->shift), out);
    case ADZE_ONCE:
      return (int16_t)adze_clamp(adze_multiply_once(sum, by->multiplier, by->shift), out);
    default:
      return (int16_t)adze_round_half_even((float)sum * adze_float_of_bits(by->multiplier), out->min, out->max);
  }
}

/* The same for sums of 64 bits; ADZE_TWICE and ADZE_ONCE take the lower 32 of them. */
ADZE_INLINE int16_t adze_finish_wide_s16(int64_t sum, const adze_channel* by, const adze_output* out) {
  if (out->kind == ADZE_WIDE) {
    return adze_clamp_s16((sum * by->multiplier + ((int64_t)1 << (by->shift - 1))) >> by->shift, out);
  }
  if (out->kind == ADZE_FLOAT) {
    return (int16_t)adze_round_half_even((float)sum * adze_float_of_bits(by->multiplier), out->min, out->max);
  }
  return adze_finish_s16((int32_t)(uint32_t)(uint64_t)sum, by, out);
}

ADZE_INLINE int64_t adze_wide_bias(const adze_channel* by) {
  return (int64_t)by->offset * ((int64_t)1 << 32) + (int64_t)(uint32_t)by->bias;
}

/* value / scale rounded half to even, clamped. */
ADZE_INLINE int16_t adze_quantize_real_s16(float value, float scale, const adze_output* out) {
  return (int16_t)adze_round_half_even(value / scale, out->min, out->max);
}

/* Weights [out_c][kernel_h][kernel_w][in_c / groups]. scratch: 2 * depth bytes. */
void adze_conv_s16(const adze_conv* layer, const int16_t* in, int16_t* out, void* scratch);
/* groups = 1. Words of two channels' weights of two products: see emit/c/pack; depth a multiple of 4.
   scratch: 4 * depth bytes. */
void adze_conv_s16_dsp(const adze_conv* layer, const int16_t* in, int16_t* out, void* scratch);
/* groups = 1. Weights in blocks of eight products, four channels each; depth a multiple of 8. scratch: 4 * depth bytes.
 */
void adze_conv_s16_mve(const adze_conv* layer, const int16_t* in, int16_t* out, void* scratch);
/* groups = in_c = out_c. Weights [kernel_h][kernel_w][channels]. scratch: none. */
void adze_depthwise_s16(const adze_conv* layer, const int16_t* in, int16_t* out, void* scratch);

void adze_matmul_s16(const adze_matmul* layer, const int16_t* a, const int16_t* b, int16_t* out);
void adze_add_s16(const adze_binary* layer, const int16_t* a, const int16_t* b, int16_t* out);
void adze_mul_s16(const adze_binary* layer, const int16_t* a, const int16_t* b, int16_t* out);
void adze_average_pool_s16(const adze_pool* layer, const int16_t* in, int16_t* out);
void adze_max_pool_s16(const adze_pool* layer, const int16_t* in, int16_t* out);
void adze_mean_s16(const adze_mean* layer, const int16_t* in, int16_t* out);
/* 512 straight pieces. */
void adze_table_s16(const int16_t* table, int32_t count, const int16_t* in, int16_t* out);

/* Over the middle dimension: exp of [-10, 0] and 1 / (1 + x) of [0, 1] as tables, kind ADZE_TWICE or ADZE_ONCE. */
typedef struct {
  int32_t outer, count, inner;
  const int16_t *exponentials, *reciprocals;
  adze_channel difference, rescale; /* rescale.multiplier 0: none */
  adze_output out;
} adze_softmax_words;
void adze_softmax_s16(const adze_softmax_words* layer, const int16_t* in, int16_t* out);

void adze_rescale_s16(const adze_rescale* layer, const int16_t* in, int16_t* out);
void adze_rescale_s8_s16(const adze_rescale* layer, const int8_t* in, int16_t* out);
void adze_rescale_s16_s8(const adze_rescale* layer, const int16_t* in, int8_t* out);
void adze_quantize_s16(int32_t count, float scale, const float* in, int16_t* out);
void adze_dequantize_s16(int32_t count, float scale, const int16_t* in, float* out);

/* Between two entries of a table of 513. */
ADZE_INLINE int32_t adze_interpolate(const int16_t* table, int32_t value) {
  const int16_t* at = table + 256 + adze_shift_right(value, 7);
  return at[0] + adze_shift_right((at[1] - at[0]) * (value & 127) + 64, 7);
}

#endif
