/* Convolution of 16-bit activations by pairs of products: two pixels and two channels a pass. */
#include "adze_patch_s16.h"

/* All channels of two pixels. */
ADZE_APART void two_pixels(const adze_conv *layer, const int16_t *a, const int16_t *b, int16_t *to_a, int16_t *to_b) {
  const uint32_t *w = (const uint32_t *)layer->weights;
  const adze_channel *by = layer->channels;
  for (int32_t c = 0; c < layer->out_c; c += 2, by += 2) {
    int32_t a0 = by[0].bias, a1 = by[1].bias, b0 = a0, b1 = a1;
    const int16_t *x = a, *y = b;
    for (int32_t k = layer->depth; k > 0; k -= 4, w += 2, x += 4, y += 4) {
      const uint32_t first0 = adze_even_bytes(w[0]), first1 = adze_odd_bytes(w[0]);
      const uint32_t x0 = adze_load4(x), y0 = adze_load4(y);
      a0 = adze_dot2(x0, first0, a0);
      a1 = adze_dot2(x0, first1, a1);
      b0 = adze_dot2(y0, first0, b0);
      b1 = adze_dot2(y0, first1, b1);
      const uint32_t second0 = adze_even_bytes(w[1]), second1 = adze_odd_bytes(w[1]);
      const uint32_t x1 = adze_load4(x + 2), y1 = adze_load4(y + 2);
      a0 = adze_dot2(x1, second0, a0);
      a1 = adze_dot2(x1, second1, a1);
      b0 = adze_dot2(y1, second0, b0);
      b1 = adze_dot2(y1, second1, b1);
    }
    to_a[c] = adze_finish_s16(a0, &by[0], &layer->out);
    to_b[c] = adze_finish_s16(b0, &by[0], &layer->out);
    if (c + 1 < layer->out_c) {
      to_a[c + 1] = adze_finish_s16(a1, &by[1], &layer->out);
      to_b[c + 1] = adze_finish_s16(b1, &by[1], &layer->out);
    }
  }
}

ADZE_APART void one_pixel(const adze_conv *layer, const int16_t *a, int16_t *to) {
  const uint32_t *w = (const uint32_t *)layer->weights;
  const adze_channel *by = layer->channels;
  for (int32_t c = 0; c < layer->out_c; c += 2, by += 2) {
    int32_t a0 = by[0].bias, a1 = by[1].bias;
    const int16_t *x = a;
    for (int32_t k = layer->depth; k > 0; k -= 4, w += 2, x += 4) {
      const uint32_t x0 = adze_load4(x), x1 = adze_load4(x + 2);
      a0 = adze_dot2(x0, adze_even_bytes(w[0]), a0);
      a1 = adze_dot2(x0, adze_odd_bytes(w[0]), a1);
      a0 = adze_dot2(x1, adze_even_bytes(w[1]), a0);
      a1 = adze_dot2(x1, adze_odd_bytes(w[1]), a1);
    }
    to[c] = adze_finish_s16(a0, &by[0], &layer->out);
    if (c + 1 < layer->out_c) to[c + 1] = adze_finish_s16(a1, &by[1], &layer->out);
  }
}

void adze_conv_s16_dsp(const adze_conv *layer, const int16_t *in, int16_t *out, void *scratch) {
  adze_all_pixels_s16(layer, in, out, scratch, two_pixels, one_pixel);
}
