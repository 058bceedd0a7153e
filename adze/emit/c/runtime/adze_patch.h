/* Gathers what one output pixel of a convolution reads into one row of bytes. */
#ifndef ADZE_PATCH_H
#define ADZE_PATCH_H

#include "adze_intrinsics.h"
#include "adze_runtime.h"

/* memcpy for the few bytes of a tap, without the call. */
ADZE_INLINE void adze_copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
#if ADZE_MVE
  for (; count > 0; count -= 16, from += 16, to += 16) {
    const mve_pred16_t some = vctp8q((uint32_t)count);
    vstrbq_p_s8(to, vldrbq_z_s8(from, some), some);
  }
#endif
  for (; count >= 4; count -= 4, from += 4, to += 4) memcpy(to, from, 4);
  for (; count > 0; --count) *to++ = *from++;
}

/* The taps of one pixel, [kernel_h][kernel_w][channels of one group]; padding holds the zero point. image is [h][w][c]. */
ADZE_INLINE void adze_gather(const adze_conv *layer, const int8_t *image, int32_t y, int32_t x, int32_t first_channel,
                             int32_t channels, int8_t *patch) {
  const int32_t top = y * layer->stride_h - layer->pad_top;
  const int32_t left = x * layer->stride_w - layer->pad_left;
  const int whole = layer->dilation_w == 1 && channels == layer->in_c && left >= 0 &&
                    left + layer->kernel_w <= layer->in_w;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    if (row < 0 || row >= layer->in_h) {
      memset(patch, layer->in_zero_point, (size_t)(layer->kernel_w * channels));
      patch += layer->kernel_w * channels;
      continue;
    }
    const int8_t *from = image + row * layer->in_w * layer->in_c + first_channel;
    if (whole) {
      adze_copy_bytes(patch, from + left * layer->in_c, layer->kernel_w * channels);
      patch += layer->kernel_w * channels;
      continue;
    }
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw, patch += channels) {
      const int32_t column = left + kw * layer->dilation_w;
      if (column < 0 || column >= layer->in_w) {
        memset(patch, layer->in_zero_point, (size_t)channels);
      } else {
        adze_copy_bytes(patch, from + column * layer->in_c, channels);
      }
    }
  }
}

/* Does every output pixel read one run of bytes of the input as it lies there? */
ADZE_INLINE int adze_is_pointwise(const adze_conv *layer) {
  return layer->kernel_h == 1 && layer->kernel_w == 1 && layer->pad_top == 0 && layer->pad_left == 0 &&
         layer->groups == 1 && (layer->out_h - 1) * layer->stride_h < layer->in_h &&
         (layer->out_w - 1) * layer->stride_w < layer->in_w;
}

#endif
