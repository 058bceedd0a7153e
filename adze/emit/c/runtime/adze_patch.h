/* Gathers what one output pixel of a convolution reads into one row of bytes. */
#ifndef ADZE_PATCH_H
#define ADZE_PATCH_H

#include "adze_intrinsics.h"
#include "adze_runtime.h"

/* memcpy for the few bytes of a tap, without the call. */
ADZE_INLINE void adze_copy_bytes(int8_t* to, const int8_t* from, int32_t count) {
#if ADZE_MVE
  for (; count >= 16; count -= 16, from += 16, to += 16) vstrbq_s8(to, vldrbq_s8(from));
  if (count > 0) {
    const mve_pred16_t some = vctp8q((uint32_t)count);
    vstrbq_p_s8(to, vldrbq_z_s8(from, some), some);
  }
#else
  for (; count >= 4; count -= 4, from += 4, to += 4) memcpy(to, from, 4);
  for (; count > 0; --count) *to++ = *from++;
#endif
}

/* memset likewise. */
ADZE_INLINE int8_t* adze_fill_bytes(int8_t* to, int32_t value, int32_t count) {
  if (count >= 16) {
    memset(to, value, (size_t)count);
    return to + count;
  }
  for (; count > 0; --count) *to++ = (int8_t)value;
  return to;
}

/* The taps of one pixel, [kernel_h][kernel_w][channels of one group]; padding holds the zero point. image is [h][w][c].
 */
ADZE_INLINE void adze_gather(const adze_conv* layer, const int8_t* image, int32_t y, int32_t x, int32_t first_channel,
                             int32_t channels, int8_t* patch) {
  const int32_t top = y * layer->stride_h - layer->pad_top;
  const int32_t left = x * layer->stride_w - layer->pad_left;
  const int32_t zero = layer->in_zero_point, taps = layer->kernel_w;
  const int together = layer->dilation_w == 1 && channels == layer->in_c;
  const int whole = together && left >= 0 && left + taps <= layer->in_w;
  int32_t before = left < 0 ? -left : 0, within = layer->in_w - left < taps ? layer->in_w - left : taps;
  if (before > taps) before = taps;
  if (within < before) within = before;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    if (row < 0 || row >= layer->in_h) {
      patch = adze_fill_bytes(patch, zero, taps * channels);
      continue;
    }
    const int8_t* from = image + (row * layer->in_w + left) * layer->in_c + first_channel;
    if (whole) {
      adze_copy_bytes(patch, from, taps * channels);
      patch += taps * channels;
      continue;
    }
    if (together) {
      patch = adze_fill_bytes(patch, zero, before * channels);
      adze_copy_bytes(patch, from + before * channels, (within - before) * channels);
      patch = adze_fill_bytes(patch + (within - before) * channels, zero, (taps - within) * channels);
      continue;
    }
    for (int32_t kw = 0; kw < taps; ++kw) {
      const int32_t column = left + kw * layer->dilation_w;
      if (column < 0 || column >= layer->in_w) {
        patch = adze_fill_bytes(patch, zero, channels);
      } else {
        adze_copy_bytes(patch, from + kw * layer->dilation_w * layer->in_c, channels);
        patch += channels;
      }
    }
  }
}

/* Does every output pixel read one run of bytes of the input as it lies there? */
ADZE_INLINE int adze_is_pointwise(const adze_conv* layer) {
  return layer->kernel_h == 1 && layer->kernel_w == 1 && layer->pad_top == 0 && layer->pad_left == 0 &&
         layer->groups == 1 && (layer->out_h - 1) * layer->stride_h < layer->in_h &&
         (layer->out_w - 1) * layer->stride_w < layer->in_w;
}

#endif
