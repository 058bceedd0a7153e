/* Convolution of 16-bit activations for cores with vectors: eight products an instruction, two pixels and four channels
   a pass. */
#include "adze_patch_s16.h"

#if ADZE_MVE

/* Results of four channels; count of them are kept. */
ADZE_INLINE void store_four(int32x4_t sums, const adze_conv *layer, const adze_channel *by, int32_t count, int16_t *to) {
  if (layer->out.kind == ADZE_FAST) {
    const int32x4x4_t four = vld4q_s32((const int32_t *)by); /* bias, multiplier, offset, shift */
    int32x4_t y = vaddq_s32(vmulhq_s32(sums, four.val[1]), four.val[2]);
    y = vshlq_s32(y, vnegq_s32(four.val[3]));
    y = vminq_s32(vmaxq_s32(y, vdupq_n_s32(layer->out.min)), vdupq_n_s32(layer->out.max));
    vstrhq_p_s32(to, y, vctp32q((uint32_t)count));
    return;
  }
  int32_t values[4];
  vstrwq_s32(values, sums);
  for (int32_t i = 0; i < 4 && i < count; ++i) to[i] = adze_finish_s16(values[i], &by[i], &layer->out);
}

ADZE_APART void two_pixels(const adze_conv *layer, const int16_t *a, const int16_t *b, int16_t *to_a, int16_t *to_b) {
  const int8_t *w = (const int8_t *)layer->weights;
  const adze_channel *by = layer->channels;
  for (int32_t c = 0; c < layer->out_c; c += 4, by += 4) {
    int32_t a0 = by[0].bias, a1 = by[1].bias, a2 = by[2].bias, a3 = by[3].bias;
    int32_t b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    for (int32_t k = 0; k < layer->depth; k += 8, w += 32) {
      const int16x8_t x = vldrhq_s16(a + k), y = vldrhq_s16(b + k);
      int16x8_t four = vldrbq_s16(w);
      a0 = vmladavaq_s16(a0, x, four);
      b0 = vmladavaq_s16(b0, y, four);
      four = vldrbq_s16(w + 8);
      a1 = vmladavaq_s16(a1, x, four);
      b1 = vmladavaq_s16(b1, y, four);
      four = vldrbq_s16(w + 16);
      a2 = vmladavaq_s16(a2, x, four);
      b2 = vmladavaq_s16(b2, y, four);
      four = vldrbq_s16(w + 24);
      a3 = vmladavaq_s16(a3, x, four);
      b3 = vmladavaq_s16(b3, y, four);
    }
    const int32_t left[4] = {a0, a1, a2, a3}, right[4] = {b0, b1, b2, b3};
    store_four(vldrwq_s32(left), layer, by, layer->out_c - c, to_a + c);
    store_four(vldrwq_s32(right), layer, by, layer->out_c - c, to_b + c);
  }
}

ADZE_APART void one_pixel(const adze_conv *layer, const int16_t *a, int16_t *to) {
  const int8_t *w = (const int8_t *)layer->weights;
  const adze_channel *by = layer->channels;
  for (int32_t c = 0; c < layer->out_c; c += 4, by += 4) {
    int32_t a0 = by[0].bias, a1 = by[1].bias, a2 = by[2].bias, a3 = by[3].bias;
    for (int32_t k = 0; k < layer->depth; k += 8, w += 32) {
      const int16x8_t x = vldrhq_s16(a + k);
      a0 = vmladavaq_s16(a0, x, vldrbq_s16(w));
      a1 = vmladavaq_s16(a1, x, vldrbq_s16(w + 8));
      a2 = vmladavaq_s16(a2, x, vldrbq_s16(w + 16));
      a3 = vmladavaq_s16(a3, x, vldrbq_s16(w + 24));
    }
    const int32_t sums[4] = {a0, a1, a2, a3};
    store_four(vldrwq_s32(sums), layer, by, layer->out_c - c, to + c);
  }
}

#else

static void one_pixel(const adze_conv *layer, const int16_t *x, int16_t *to) {
  const int8_t *weights = (const int8_t *)layer->weights;
  for (int32_t c = 0; c < layer->out_c; ++c) {
    uint32_t sum = (uint32_t)layer->channels[c].bias;
    const int8_t *w = weights + c / 4 * 4 * layer->depth + c % 4 * 8;
    for (int32_t k = 0; k < layer->kernel_h * layer->kernel_w * layer->in_c; ++k) {
      sum += (uint32_t)(x[k] * w[k / 8 * 32 + k % 8]);
    }
    to[c] = adze_finish_s16((int32_t)sum, &layer->channels[c], &layer->out);
  }
}

static void two_pixels(const adze_conv *layer, const int16_t *a, const int16_t *b, int16_t *to_a, int16_t *to_b) {
  one_pixel(layer, a, to_a);
  one_pixel(layer, b, to_b);
}

#endif

void adze_conv_s16_mve(const adze_conv *layer, const int16_t *in, int16_t *out, void *scratch) {
  adze_all_pixels_s16(layer, in, out, scratch, two_pixels, one_pixel);
}
