/* Instructions that the kernels count on, each with a plain C form that gives the same bits. */
#ifndef ADZE_INTRINSICS_H
#define ADZE_INTRINSICS_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define ADZE_MVE 1
#include <arm_mve.h>
#else
#define ADZE_MVE 0
#endif

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__)
#define ADZE_DSP 1
#else
#define ADZE_DSP 0
#endif

#if defined(__GNUC__)
#define ADZE_INLINE static inline __attribute__((always_inline))
#else
#define ADZE_INLINE static inline
#endif

/* Kept apart, so that its loops have all registers to themselves. */
#if defined(__GNUC__)
#define ADZE_APART static __attribute__((noinline))
#else
#define ADZE_APART static
#endif

/* A shift to the right that keeps the sign, whatever the compiler does with negative numbers. */
ADZE_INLINE int32_t adze_shift_right(int32_t x, int32_t by) {
#if defined(__GNUC__)
  return x >> by;
#else
  return x < 0 ? (int32_t) ~(~(uint32_t)x >> by) : (int32_t)((uint32_t)x >> by);
#endif
}

/* Four bytes, the first in the lowest place. */
ADZE_INLINE uint32_t adze_load4(const void* from) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

/* The low and the high signed half of a word. */
ADZE_INLINE int32_t adze_low(uint32_t word) {
  return (int16_t)(uint16_t)(word & 0xffffu);
}
ADZE_INLINE int32_t adze_high(uint32_t word) {
  return (int16_t)(uint16_t)(word >> 16);
}

/* Bytes 0 and 2 of a word as two signed halves. */
ADZE_INLINE uint32_t adze_even_bytes(uint32_t word) {
#if ADZE_DSP
  uint32_t result;
  __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
  return result;
#else
  const uint32_t low = (uint32_t)(int32_t)(int8_t)(uint8_t)(word & 0xffu) & 0xffffu;
  const uint32_t high = (uint32_t)(int32_t)(int8_t)(uint8_t)((word >> 16) & 0xffu);
  return low | (high << 16);
#endif
}

/* Bytes 1 and 3. */
ADZE_INLINE uint32_t adze_odd_bytes(uint32_t word) {
#if ADZE_DSP
  uint32_t result;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
  return result;
#else
  return adze_even_bytes(word >> 8);
#endif
}

/* The halves of sum plus bytes 0 and 2, or 1 and 3; each half wraps. */
ADZE_INLINE uint32_t adze_add_even_bytes(uint32_t sum, uint32_t word) {
#if ADZE_DSP
  uint32_t result;
  __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(sum), "r"(word));
  return result;
#else
  const uint32_t bytes = adze_even_bytes(word);
  return ((sum + bytes) & 0xffffu) | ((sum & 0xffff0000u) + (bytes & 0xffff0000u));
#endif
}
ADZE_INLINE uint32_t adze_add_odd_bytes(uint32_t sum, uint32_t word) {
#if ADZE_DSP
  uint32_t result;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(sum), "r"(word));
  return result;
#else
  return adze_add_even_bytes(sum, word >> 8);
#endif
}

/* The low halves of a and b as one word, and the high ones. */
ADZE_INLINE uint32_t adze_low_halves(uint32_t a, uint32_t b) {
#if ADZE_DSP
  uint32_t result;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(a), "r"(b));
  return result;
#else
  return (a & 0xffffu) | (b << 16);
#endif
}
ADZE_INLINE uint32_t adze_high_halves(uint32_t a, uint32_t b) {
#if ADZE_DSP
  uint32_t result;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(b), "r"(a));
  return result;
#else
  return (a >> 16) | (b & 0xffff0000u);
#endif
}

/* sum + low(a) * high(b), and sum + high(a) * low(b). */
ADZE_INLINE int32_t adze_low_high_mla(uint32_t a, uint32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smlabt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return (int32_t)((uint32_t)sum + (uint32_t)(adze_low(a) * adze_high(b)));
#endif
}
ADZE_INLINE int32_t adze_high_low_mla(uint32_t a, uint32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smlatb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return (int32_t)((uint32_t)sum + (uint32_t)(adze_high(a) * adze_low(b)));
#endif
}

/* sum + low(a) * low(b) + high(a) * high(b), wrapping. */
ADZE_INLINE int32_t adze_dot2(uint32_t a, uint32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return (int32_t)((uint32_t)sum + (uint32_t)(adze_low(a) * adze_low(b)) + (uint32_t)(adze_high(a) * adze_high(b)));
#endif
}

/* sum + low(a) * low(b). */
ADZE_INLINE int32_t adze_low_mla(uint32_t a, uint32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return (int32_t)((uint32_t)sum + (uint32_t)(adze_low(a) * adze_low(b)));
#endif
}

/* sum + high(a) * high(b). */
ADZE_INLINE int32_t adze_high_mla(uint32_t a, uint32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return (int32_t)((uint32_t)sum + (uint32_t)(adze_high(a) * adze_high(b)));
#endif
}

/* sum + round(a * b / 2^32), ties upwards. */
ADZE_INLINE int32_t adze_high_product(int32_t a, int32_t b, int32_t sum) {
#if ADZE_DSP
  int32_t result;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  const uint64_t product = (uint64_t)((int64_t)a * b) + 0x80000000u;
  return (int32_t)((uint32_t)sum + (uint32_t)(product >> 32));
#endif
}

/* Into [-128, 127]. */
ADZE_INLINE int32_t adze_saturate8(int32_t x) {
#if ADZE_DSP
  int32_t result;
  __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
  return result;
#else
  return x < -128 ? -128 : x > 127 ? 127 : x;
#endif
}

#endif
