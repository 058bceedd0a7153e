/* Depthwise convolution for cores with vectors: four channels, four output columns a pass over padded rows. */
#include "adze_rows_mve.h"

#define MAX_KERNEL 16

/* Bytes of one padded row: what four output columns at a time read of it. */
static int32_t row_bytes(const adze_conv *layer) {
  const int32_t columns = (layer->out_w + 3) & ~3;
  const int32_t read = (columns - 1) * layer->stride_w + layer->dilation_w * (layer->kernel_w - 1) + 1;
  return (read * layer->in_c + 3) & ~3;
}

/* Row of the picture with its padding. */
static void copy_row(const adze_conv *layer, const int8_t *image, int32_t row, int8_t *to, int32_t bytes) {
  if (row < 0 || row >= layer->in_h) {
    memset(to, layer->in_zero_point, (size_t)bytes);
    return;
  }
  const int32_t before = layer->pad_left * layer->in_c;
  int32_t inside = layer->in_w * layer->in_c;
  if (inside > bytes - before) inside = bytes - before;
  memset(to, layer->in_zero_point, (size_t)before);
  memcpy(to + before, image + row * layer->in_w * layer->in_c, (size_t)inside);
  memset(to + before + inside, layer->in_zero_point, (size_t)(bytes - before - inside));
}

static void one_channel(const adze_conv *layer, const int8_t *const *rows, int32_t channel, int32_t first,
                        int32_t columns, int8_t *out) {
  const adze_channel *by = layer->channels + channel;
  for (int32_t i = 0; i < columns; ++i, out += layer->out_c) {
    const int8_t *w = (const int8_t *)layer->weights + channel;
    uint32_t sum = (uint32_t)by->bias;
    for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
      const int8_t *x = rows[kh] + (first + i) * layer->stride_w * layer->in_c + channel;
      for (int32_t kw = 0; kw < layer->kernel_w; ++kw, w += layer->out_c) {
        sum += (uint32_t)(x[kw * layer->dilation_w * layer->in_c] * *w);
      }
    }
    out[channel] = adze_requantize((int32_t)sum, by, &layer->out);
  }
}

#if ADZE_MVE
#define TAP(s, x, w) s = vaddq_s32(s, vmulq_s32((x), (w)))

/* Four channels of four columns. */
ADZE_INLINE void four_by_four(const adze_conv *layer, const int8_t *const *rows, int32_t offset, int32_t channel,
                              int32_t columns, int8_t *out, int three) {
  const adze_four by = adze_load_four(layer->channels + channel);
  const int8_t *w = (const int8_t *)layer->weights + channel;
  const int32_t step = layer->in_c, stride = layer->stride_w * step;
  int32x4_t s0 = by.bias, s1 = by.bias, s2 = by.bias, s3 = by.bias;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int8_t *x = rows[kh] + offset;
    if (three) { /* three taps, stride 1: six columns serve four outputs */
      const int32x4_t w0 = vldrbq_s32(w), w1 = vldrbq_s32(w + step), w2 = vldrbq_s32(w + 2 * step);
      w += 3 * step;
      int32x4_t v = vldrbq_s32(x);
      TAP(s0, v, w0);
      v = vldrbq_s32(x + step);
      TAP(s0, v, w1);
      TAP(s1, v, w0);
      v = vldrbq_s32(x + 2 * step);
      TAP(s0, v, w2);
      TAP(s1, v, w1);
      TAP(s2, v, w0);
      v = vldrbq_s32(x + 3 * step);
      TAP(s1, v, w2);
      TAP(s2, v, w1);
      TAP(s3, v, w0);
      v = vldrbq_s32(x + 4 * step);
      TAP(s2, v, w2);
      TAP(s3, v, w1);
      v = vldrbq_s32(x + 5 * step);
      TAP(s3, v, w2);
      continue;
    }
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw, w += step, x += layer->dilation_w * step) {
      const int32x4_t v = vldrbq_s32(w);
      TAP(s0, vldrbq_s32(x), v);
      TAP(s1, vldrbq_s32(x + stride), v);
      TAP(s2, vldrbq_s32(x + 2 * stride), v);
      TAP(s3, vldrbq_s32(x + 3 * stride), v);
    }
  }
  const int32x4_t low = vdupq_n_s32(layer->out.min), high = vdupq_n_s32(layer->out.max);
  vstrbq_s32(out + channel, adze_fast_four(s0, &by, low, high));
  if (columns > 1) vstrbq_s32(out + step + channel, adze_fast_four(s1, &by, low, high));
  if (columns > 2) vstrbq_s32(out + 2 * step + channel, adze_fast_four(s2, &by, low, high));
  if (columns > 3) vstrbq_s32(out + 3 * step + channel, adze_fast_four(s3, &by, low, high));
}

ADZE_APART int32_t channels_three(const adze_conv *layer, const int8_t *const *rows, int32_t first, int32_t columns,
                                  int8_t *out) {
  int32_t channel = 0;
  for (; channel + 4 <= layer->out_c; channel += 4) {
    four_by_four(layer, rows, first * layer->in_c + channel, channel, columns, out, 1);
  }
  return channel;
}

ADZE_APART int32_t channels_any(const adze_conv *layer, const int8_t *const *rows, int32_t first, int32_t columns,
                                int8_t *out) {
  int32_t channel = 0;
  for (; channel + 4 <= layer->out_c; channel += 4) {
    four_by_four(layer, rows, first * layer->stride_w * layer->in_c + channel, channel, columns, out, 0);
  }
  return channel;
}
#endif

static void all_channels(const adze_conv *layer, const int8_t *const *rows, int32_t first, int32_t columns,
                         int8_t *out) {
  int32_t channel = 0;
#if ADZE_MVE
  if (layer->out.kind == ADZE_FAST) {
    const int three = layer->kernel_w == 3 && layer->stride_w == 1 && layer->dilation_w == 1;
    channel = three ? channels_three(layer, rows, first, columns, out) : channels_any(layer, rows, first, columns, out);
  }
#endif
  for (; channel < layer->out_c; ++channel) one_channel(layer, rows, channel, first, columns, out);
}

void adze_depthwise_s8_mve(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *ring = (int8_t *)scratch;
  const int32_t bytes = row_bytes(layer), extent = layer->dilation_h * (layer->kernel_h - 1) + 1;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    int32_t next = -layer->pad_top; /* first row that is not in the ring */
    for (int32_t y = 0; y < layer->out_h; ++y) {
      const int8_t *rows[MAX_KERNEL];
      const int32_t top = y * layer->stride_h - layer->pad_top;
      if (next < top) next = top;
      for (; next < top + extent; ++next) {
        copy_row(layer, in, next, ring + (next + layer->pad_top) % extent * bytes, bytes);
      }
      for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
        rows[kh] = ring + (top + kh * layer->dilation_h + layer->pad_top) % extent * bytes;
      }
      for (int32_t x = 0; x < layer->out_w; x += 4) {
        const int32_t columns = layer->out_w - x < 4 ? layer->out_w - x : 4;
        all_channels(layer, rows, x, columns, out);
        out += columns * layer->out_c;
      }
    }
  }
}
