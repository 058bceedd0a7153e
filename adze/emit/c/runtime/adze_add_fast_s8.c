/* Sum of two tensors of one shape. */
#include "adze_requantize.h"

ADZE_INLINE int32_t sum(const adze_add *layer, int32_t a, int32_t b) {
  const int32_t wide = b * (1 << 21) + layer->b_offset; /* doubled, as the high product needs it */
  const int32_t right = adze_high_product(wide, layer->b_multiplier, layer->b_rounding) + adze_shift_right(wide, 31);
  const int32_t left = a * (1 << 19) + layer->a_offset;
  return adze_fast(left + adze_shift_right(right, layer->b_shift), layer->y_multiplier, layer->y_offset,
                   layer->y_shift);
}

/* Equal scales: the sum of both as it is. */
static void add_equal(const adze_add *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  int32_t left = layer->count;
#if ADZE_MVE
  const int32x4_t low = vdupq_n_s32(layer->min), high = vdupq_n_s32(layer->max);
  for (; left >= 4; left -= 4, a += 4, b += 4, out += 4) {
    const int32x4_t total = vaddq_n_s32(vshlq_n_s32(vaddq_s32(vldrbq_s32(a), vldrbq_s32(b)), 19), layer->a_offset);
    int32x4_t y = vaddq_n_s32(vqrdmulhq_n_s32(total, layer->y_multiplier), layer->y_offset);
    y = vshlq_r_s32(vaddq_s32(y, vshrq_n_s32(total, 31)), -layer->y_shift);
    vstrbq_s32(out, vminq_s32(vmaxq_s32(y, low), high));
  }
#endif
  for (; left > 0; --left) {
    const int32_t total = (*a++ + *b++) * (1 << 19) + layer->a_offset;
    const int32_t y = adze_fast(total, layer->y_multiplier, layer->y_offset, layer->y_shift);
    *out++ = (int8_t)(y < layer->min ? layer->min : y > layer->max ? layer->max : y);
  }
}

void adze_add_fast_s8(const adze_add *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  if (layer->b_shift == 0) {
    add_equal(layer, a, b, out);
    return;
  }
  const adze_add local = *layer;
  int8_t *const end = out + local.count;
#if ADZE_MVE
  const int32x4_t low = vdupq_n_s32(local.min), high = vdupq_n_s32(local.max);
  for (int32_t k = local.count >> 2; k > 0; --k, a += 4, b += 4, out += 4) { /* the same, four at a time */
    /* The doubling high product wants the number itself, not its double. */
    const int32x4_t wide = vaddq_n_s32(vshlq_n_s32(vldrbq_s32(b), 20), local.b_offset / 2);
    int32x4_t right = vaddq_n_s32(vqrdmulhq_n_s32(wide, local.b_multiplier), local.b_rounding);
    right = vshlq_r_s32(vaddq_s32(right, vshrq_n_s32(wide, 31)), -local.b_shift);
    const int32x4_t left = vaddq_n_s32(vshlq_n_s32(vldrbq_s32(a), 19), local.a_offset);
    const int32x4_t total = vaddq_s32(left, right);
    int32x4_t y = vaddq_n_s32(vqrdmulhq_n_s32(total, local.y_multiplier), local.y_offset);
    y = vshlq_r_s32(vaddq_s32(y, vshrq_n_s32(total, 31)), -local.y_shift);
    vstrbq_s32(out, vminq_s32(vmaxq_s32(y, low), high));
  }
#endif
  if (local.min == -128 && local.max == 127) {
    while (out != end) *out++ = (int8_t)adze_saturate8(sum(&local, *a++, *b++));
  } else {
    while (out != end) {
      const int32_t y = sum(&local, *a++, *b++);
      *out++ = (int8_t)(y < local.min ? local.min : y > local.max ? local.max : y);
    }
  }
}
