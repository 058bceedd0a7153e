/* Sum of two tensors of one shape. */
#include "adze_requantize.h"

ADZE_INLINE int32_t sum(const adze_add *layer, int32_t a, int32_t b) {
  const int32_t wide = b * (1 << 21) + layer->b_offset; /* doubled, as the high product needs it */
  const int32_t right = adze_high_product(wide, layer->b_multiplier, layer->b_rounding) + adze_shift_right(wide, 31);
  const int32_t left = a * (1 << 19) + layer->a_offset;
  return adze_fast(left + adze_shift_right(right, layer->b_shift), layer->y_multiplier, layer->y_offset,
                   layer->y_shift);
}

void adze_add_fast_s8(const adze_add *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  const adze_add local = *layer;
  int8_t *const end = out + local.count;
  if (local.min == -128 && local.max == 127) {
    while (out != end) *out++ = (int8_t)adze_saturate8(sum(&local, *a++, *b++));
  } else {
    while (out != end) {
      const int32_t y = sum(&local, *a++, *b++);
      *out++ = (int8_t)(y < local.min ? local.min : y > local.max ? local.max : y);
    }
  }
}
