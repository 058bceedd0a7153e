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

#endif
