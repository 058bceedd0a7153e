/* Gathers what one output pixel reads of 16-bit activations. */
#ifndef ADZE_PATCH_S16_H
#define ADZE_PATCH_S16_H

#include "adze_patch.h"
#include "adze_s16.h"

/* The layer with channels counted in bytes, as adze_gather takes them. */
ADZE_INLINE adze_conv adze_in_bytes(const adze_conv* layer) {
  adze_conv bytes = *layer;
  bytes.in_c *= 2;
  bytes.in_zero_point = 0;
  return bytes;
}

/* Where the patch of one output pixel of a layer without groups lies: in the input itself where that can be. */
ADZE_INLINE const int16_t* adze_pixel_s16(const adze_conv* bytes, int direct, const int16_t* in, int32_t pixel,
                                          int16_t* patch) {
  const int32_t y = pixel / bytes->out_w, x = pixel % bytes->out_w;
  if (direct) return in + (y * bytes->stride_h * bytes->in_w + x * bytes->stride_w) * (bytes->in_c / 2);
  adze_gather(bytes, (const int8_t*)(const void*)in, y, x, 0, bytes->in_c, (int8_t*)(void*)patch);
  return patch;
}

/* A layer without groups, two pixels at a time. */
ADZE_INLINE void adze_all_pixels_s16(const adze_conv* layer, const int16_t* in, int16_t* out, void* scratch,
                                     void (*two_pixels)(const adze_conv*, const int16_t*, const int16_t*, int16_t*,
                                                        int16_t*),
                                     void (*one_pixel)(const adze_conv*, const int16_t*, int16_t*)) {
  const adze_conv bytes = adze_in_bytes(layer);
  int16_t *first = (int16_t*)scratch, *second = first + layer->depth;
  const int32_t pixels = layer->out_h * layer->out_w;
  const int direct = adze_is_pointwise(layer) && layer->in_c == layer->depth;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    int32_t p = 0;
    for (; p + 2 <= pixels; p += 2, out += 2 * layer->out_c) {
      const int16_t* a = adze_pixel_s16(&bytes, direct, in, p, first);
      const int16_t* b = adze_pixel_s16(&bytes, direct, in, p + 1, second);
      two_pixels(layer, a, b, out, out + layer->out_c);
    }
    if (p < pixels) {
      one_pixel(layer, adze_pixel_s16(&bytes, direct, in, p, first), out);
      out += layer->out_c;
    }
  }
}

#endif
