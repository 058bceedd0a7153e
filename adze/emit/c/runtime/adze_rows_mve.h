/* Four rows of weights against one row of bytes, and four sums to bytes. */
#ifndef ADZE_ROWS_MVE_H
#define ADZE_ROWS_MVE_H

#include "adze_requantize.h"

#if ADZE_MVE
/* What four channels need. */
typedef struct {
  int32x4_t bias, multiplier, offset, shift;
} adze_four;

ADZE_INLINE adze_four adze_load_four(const adze_channel *by) {
  const int32x4x4_t all = vld4q_s32((const int32_t *)by);
  const adze_four four = {all.val[0], all.val[1], all.val[2], vnegq_s32(all.val[3])};
  return four;
}

/* ADZE_FAST into bytes in the low part of each lane. */
ADZE_INLINE int32x4_t adze_fast_four(int32x4_t sum, const adze_four *by, int32x4_t low, int32x4_t high) {
  int32x4_t y = vaddq_s32(vqrdmulhq_s32(sum, by->multiplier), by->offset);
  y = vaddq_s32(y, vshrq_n_s32(sum, 31));
  return vminq_s32(vmaxq_s32(vshlq_s32(y, by->shift), low), high);
}

/* depth is a multiple of 16; x may be read up to it. */
ADZE_INLINE int32x4_t adze_four_rows(const int8_t *w, int32_t depth, const int8_t *x) {
  const int8_t *w1 = w + depth, *w2 = w1 + depth, *w3 = w2 + depth;
  int32_t a = 0, b = 0, c = 0, d = 0;
  int8x16_t v, u;
  int32_t count = depth >> 4;
  __asm__ volatile(
      "dls lr, %[count]\n\t"
      "1:\n\t"
      "vldrb.8 %q[v], [%[x]], #16\n\t"
      "vldrb.8 %q[u], [%[w]], #16\n\t"
      "vmladava.s8 %[a], %q[u], %q[v]\n\t"
      "vldrb.8 %q[u], [%[w1]], #16\n\t"
      "vmladava.s8 %[b], %q[u], %q[v]\n\t"
      "vldrb.8 %q[u], [%[w2]], #16\n\t"
      "vmladava.s8 %[c], %q[u], %q[v]\n\t"
      "vldrb.8 %q[u], [%[w3]], #16\n\t"
      "vmladava.s8 %[d], %q[u], %q[v]\n\t"
      "le lr, 1b\n\t"
      : [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d), [x] "+r"(x), [w] "+r"(w), [w1] "+r"(w1),
        [w2] "+r"(w2), [w3] "+r"(w3), [u] "=&w"(u), [v] "=&w"(v)
      : [count] "r"(count)
      : "lr", "memory");
  int32x4_t sums = vdupq_n_s32(a);
  sums = vsetq_lane_s32(b, sums, 1);
  sums = vsetq_lane_s32(c, sums, 2);
  return vsetq_lane_s32(d, sums, 3);
}
#endif

#endif
