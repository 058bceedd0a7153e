/* From 32-bit sums to bytes. */
#ifndef ADZE_REQUANTIZE_H
#define ADZE_REQUANTIZE_H

#include "adze_intrinsics.h"
#include "adze_runtime.h"

/* round(a * b / 2^31), ties upwards; saturates for a = b = -2^31. */
ADZE_INLINE int32_t adze_doubling_high_product(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  const uint64_t product = (uint64_t)((int64_t)a * b) + 0x40000000u;
  return (int32_t)(uint32_t)(product >> 31);
}

/* round(x / 2^exponent), ties away from zero. */
ADZE_INLINE int32_t adze_divide_by_power(int32_t x, int32_t exponent) {
  const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1u);
  const int32_t remainder = x & mask;
  const int32_t threshold = adze_shift_right(mask, 1) + (x < 0 ? 1 : 0);
  return adze_shift_right(x, exponent) + (remainder > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31), rounded twice; a left shift wraps. */
ADZE_INLINE int32_t adze_multiply_twice(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  return adze_divide_by_power(adze_doubling_high_product((int32_t)((uint32_t)x << left), multiplier), right);
}

/* The same rounded once, ties upwards, saturated. */
ADZE_INLINE int32_t adze_multiply_once(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t total = 31 - shift;
  const int64_t result = ((int64_t)x * multiplier + ((int64_t)1 << (total - 1))) >> total;
  if (result < INT32_MIN) return INT32_MIN;
  return result > INT32_MAX ? INT32_MAX : (int32_t)result;
}

ADZE_INLINE float adze_float_of_bits(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* A float rounded half to even into [low, high], which lies within 2^22; NaN gives low. */
ADZE_INLINE int32_t adze_round_half_even(float value, int32_t low, int32_t high) {
  if (!(value > (float)low)) return low;
  if (value >= (float)high) return high;
  volatile float shifted = value + 12582912.0f; /* 1.5 * 2^23: the mantissa's last bit is 1 */
  const float whole = shifted;
  return (int32_t)(whole - 12582912.0f);
}

ADZE_INLINE int32_t adze_clamp(int32_t x, const adze_output* out) {
  return x < out->min ? out->min : x > out->max ? out->max : x;
}

/* sum * multiplier + zero point for ADZE_FAST, not clamped. */
ADZE_INLINE int32_t adze_fast(int32_t sum, int32_t multiplier, int32_t offset, int32_t shift) {
  const int32_t rounded = adze_high_product((int32_t)((uint32_t)sum << 1), multiplier, offset);
  return adze_shift_right(rounded + adze_shift_right(sum, 31), shift);
}

/* clamp(zero point + sum * multiplier). */
ADZE_INLINE int8_t adze_requantize(int32_t sum, const adze_channel* by, const adze_output* out) {
  switch (out->kind) {
    case ADZE_FAST:
      return (int8_t)adze_clamp(adze_fast(sum, by->multiplier, by->offset, by->shift), out);
    case ADZE_TWICE: {
      const int64_t y = (int64_t)adze_multiply_twice(sum, by->multiplier, by->shift) + out->zero_point;
      return (int8_t)(y < out->min ? out->min : y > out->max ? out->max : (int32_t)y);
    }
    case ADZE_ONCE: {
      const int64_t y = (int64_t)adze_multiply_once(sum, by->multiplier, by->shift) + out->zero_point;
      return (int8_t)(y < out->min ? out->min : y > out->max ? out->max : (int32_t)y);
    }
    default: {
      const float real = (float)sum * adze_float_of_bits(by->multiplier);
      const int32_t y = adze_round_half_even(real, out->min - out->zero_point, out->max - out->zero_point);
      return (int8_t)(y + out->zero_point);
    }
  }
}

/* value / scale rounded half to even, plus the zero point, clamped. */
ADZE_INLINE int8_t adze_quantize_real(float value, float scale, const adze_output* out) {
  return (int8_t)(adze_round_half_even(value / scale, out->min - out->zero_point, out->max - out->zero_point) +
                  out->zero_point);
}

#endif
