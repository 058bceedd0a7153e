/* Four channels against two rows of bytes, and four sums to bytes. */
#ifndef ADZE_ROWS_MVE_H
#define ADZE_ROWS_MVE_H

#include "adze_requantize.h"

/* Weight k of a channel: blocks of sixteen products, four channels each. */
ADZE_INLINE int32_t adze_mve_weight(const int8_t* weights, int32_t depth, int32_t channel, int32_t k) {
  return weights[(channel >> 2) * 4 * depth + (k >> 4) * 64 + (channel & 3) * 16 + (k & 15)];
}

#if ADZE_MVE
/* What four channels need. */
typedef struct {
  int32x4_t bias, multiplier, offset, shift;
} adze_four;

ADZE_INLINE adze_four adze_load_four(const adze_channel* by) {
  const int32x4x4_t all = vld4q_s32((const int32_t*)by);
  const adze_four four = {all.val[0], all.val[1], all.val[2], vnegq_s32(all.val[3])};
  return four;
}

/* ADZE_FAST into bytes in the low part of each lane. */
ADZE_INLINE int32x4_t adze_fast_four(int32x4_t sum, const adze_four* by, int32x4_t low, int32x4_t high) {
  int32x4_t y = vaddq_s32(vqrdmulhq_s32(sum, by->multiplier), by->offset);
  y = vaddq_s32(y, vshrq_n_s32(sum, 31));
  return vminq_s32(vmaxq_s32(vshlq_s32(y, by->shift), low), high);
}

/* The same into the whole range of a byte: no registers for its limits. */
ADZE_INLINE int32x4_t adze_fast_four_whole(int32x4_t sum, const adze_four* by) {
  int32x4_t y = vaddq_s32(vqrdmulhq_s32(sum, by->multiplier), by->offset);
  y = vaddq_s32(y, vshrq_n_s32(sum, 31));
  return vshrq_n_s32(vqshlq_n_s32(vshlq_s32(y, by->shift), 24), 24);
}

/* Sums of four channels for the patches x and y. Weights lie in blocks of sixteen products, four channels each; blocks
   of them are multiplied, and as much of the patches is read. */
ADZE_INLINE void adze_four_rows(const int8_t* w, int32_t blocks, const int8_t* x, const int8_t* y, int32x4_t* x_sums,
                                int32x4_t* y_sums) {
  int32x4_t a, b;
  __asm__ volatile(
      "movs r0, #0\n\t"
      "movs r2, #0\n\t"
      "movs r4, #0\n\t"
      "movs r6, #0\n\t"
      "mov r8, #0\n\t"
      "mov r10, #0\n\t"
      "mov r12, #0\n\t"
      "mov lr, #0\n\t"
      "1:\n\t"
      "vldrb.8 %q[a], [%[x]], #16\n\t"
      "vldrb.8 %q[b], [%[y]], #16\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "subs %[blocks], %[blocks], #1\n\t"
      "vmladava.s8 r0, q7, %q[a]\n\t"
      "vmladava.s8 r8, q7, %q[b]\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r2, q7, %q[a]\n\t"
      "vmladava.s8 r10, q7, %q[b]\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r4, q7, %q[a]\n\t"
      "vmladava.s8 r12, q7, %q[b]\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r6, q7, %q[a]\n\t"
      "vmladava.s8 lr, q7, %q[b]\n\t"
      "bne 1b\n\t"
      "vmov %q[a][2], %q[a][0], r0, r4\n\t"
      "vmov %q[a][3], %q[a][1], r2, r6\n\t"
      "vmov %q[b][2], %q[b][0], r8, r12\n\t"
      "vmov %q[b][3], %q[b][1], r10, lr\n\t"
      : [x] "+r"(x), [y] "+r"(y), [w] "+r"(w), [blocks] "+r"(blocks), [a] "=&w"(a), [b] "=&w"(b)
      :
      : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "q7", "cc", "memory");
  *x_sums = a;
  *y_sums = b;
}

/* The same for one patch. */
ADZE_INLINE int32x4_t adze_one_row(const int8_t* w, int32_t blocks, const int8_t* x) {
  int32x4_t a;
  __asm__ volatile(
      "movs r0, #0\n\t"
      "movs r2, #0\n\t"
      "movs r4, #0\n\t"
      "movs r6, #0\n\t"
      "dls lr, %[blocks]\n\t"
      "1:\n\t"
      "vldrb.8 %q[a], [%[x]], #16\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r0, q7, %q[a]\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r2, q7, %q[a]\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r4, q7, %q[a]\n\t"
      "vldrb.8 q7, [%[w]], #16\n\t"
      "vmladava.s8 r6, q7, %q[a]\n\t"
      "le lr, 1b\n\t"
      "vmov %q[a][2], %q[a][0], r0, r4\n\t"
      "vmov %q[a][3], %q[a][1], r2, r6\n\t"
      : [x] "+r"(x), [w] "+r"(w), [a] "=&w"(a)
      : [blocks] "r"(blocks)
      : "r0", "r2", "r4", "r6", "lr", "q7", "memory");
  return a;
}
#endif

#endif
