/* Convolution for cores with vectors: four channels of two pixels a pass, sixteen products an instruction. */
#include "adze_patch.h"
#include "adze_rows_mve.h"

#define PIXELS 4
#define TOGETHER 16

static void one_channel(const adze_conv *layer, const int8_t *x, int32_t step, int32_t pixels, int32_t channel,
                        int8_t *out) {
  const int8_t *w = (const int8_t *)layer->weights;
  const int32_t products = layer->kernel_h * layer->kernel_w * layer->in_c;
  for (int32_t p = 0; p < pixels; ++p, x += step, out += layer->out_c) {
    uint32_t sum = (uint32_t)layer->channels[channel].bias;
    for (int32_t k = 0; k < products; ++k) sum += (uint32_t)(x[k] * adze_mve_weight(w, layer->depth, channel, k));
    out[channel] = adze_requantize((int32_t)sum, &layer->channels[channel], &layer->out);
  }
}

/* Pixels whose patches lie step bytes apart. */
static void all_channels(const adze_conv *layer, const int8_t *x, int32_t step, int32_t pixels, int8_t *out) {
  int32_t channel = 0;
#if ADZE_MVE
  const int32x4_t low = vdupq_n_s32(layer->out.min), high = vdupq_n_s32(layer->out.max);
  const int8_t *w = (const int8_t *)layer->weights;
  const int32_t blocks = layer->depth >> 4;
  for (; layer->out.kind == ADZE_FAST && channel + 4 <= layer->out_c; channel += 4, w += 4 * layer->depth) {
    const adze_four by = adze_load_four(layer->channels + channel);
    const int8_t *patch = x;
    int8_t *to = out + channel;
    int32_t p = pixels;
    for (; p > 1; p -= 2, patch += 2 * step, to += 2 * layer->out_c) {
      int32x4_t a, b;
      adze_four_rows(w, blocks, patch, patch + step, &a, &b);
      vstrbq_s32(to, adze_fast_four(vaddq_s32(a, by.bias), &by, low, high));
      vstrbq_s32(to + layer->out_c, adze_fast_four(vaddq_s32(b, by.bias), &by, low, high));
    }
    if (p == 1) {
      int32x4_t a, b;
      adze_four_rows(w, blocks, patch, patch, &a, &b);
      vstrbq_s32(to, adze_fast_four(vaddq_s32(a, by.bias), &by, low, high));
    }
  }
#endif
  for (; channel < layer->out_c; ++channel) one_channel(layer, x, step, pixels, channel, out);
}

void adze_conv_s8_mve(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *patch = (int8_t *)scratch;
  const int whole = adze_is_pointwise(layer) && layer->stride_h == 1 && layer->stride_w == 1;
  if (whole) {
    /* Some at a time, so that the output may be written over the input behind them. */
    for (int32_t left = layer->batch * layer->out_h * layer->out_w; left > 0; left -= TOGETHER) {
      all_channels(layer, in, layer->in_c, left < TOGETHER ? left : TOGETHER, out);
      in += TOGETHER * layer->in_c;
      out += TOGETHER * layer->out_c;
    }
    return;
  }
  int32_t pixels = 0;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x) {
        adze_gather(layer, in, y, x, 0, layer->in_c, patch + pixels * layer->depth);
        if (++pixels == PIXELS) {
          all_channels(layer, patch, layer->depth, PIXELS, out);
          out += PIXELS * layer->out_c;
          pixels = 0;
        }
      }
    }
  }
  if (pixels != 0) all_channels(layer, patch, layer->depth, pixels, out);
}
