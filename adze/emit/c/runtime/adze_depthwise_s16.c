/* Depthwise convolution of 16-bit activations: one filter a channel. Padding adds nothing. */
#include "adze_s16.h"

/* The taps of one output pixel that lie in the picture. */
typedef struct {
  int32_t first_h, end_h, first_w, end_w, top, left;
} taps_inside;

static void bounds(int32_t start, int32_t taps, int32_t dilation, int32_t size, int32_t *first, int32_t *end) {
  *first = 0;
  while (*first < taps && start + *first * dilation < 0) ++*first;
  *end = taps;
  while (*end > *first && start + (*end - 1) * dilation >= size) --*end;
}

static int16_t one(const adze_conv *layer, const int16_t *in, const taps_inside *at, int32_t channel) {
  int64_t sum = layer->out.kind == ADZE_FAST ? layer->channels[channel].bias : adze_wide_bias(&layer->channels[channel]);
  for (int32_t kh = at->first_h; kh < at->end_h; ++kh) {
    for (int32_t kw = at->first_w; kw < at->end_w; ++kw) {
      const int32_t row = at->top + kh * layer->dilation_h, column = at->left + kw * layer->dilation_w;
      const int32_t x = in[(row * layer->in_w + column) * layer->in_c + channel];
      sum += x * ((const int8_t *)layer->weights)[(kh * layer->kernel_w + kw) * layer->out_c + channel];
    }
  }
  return adze_finish_wide_s16(sum, &layer->channels[channel], &layer->out);
}

/* Four neighbouring channels whose sums do not leave 32 bits. */
static void four(const adze_conv *layer, const int16_t *in, const taps_inside *at, int32_t channel, int16_t *out) {
  const adze_channel *by = layer->channels + channel;
  const int32_t step = layer->dilation_w * layer->in_c;
#if ADZE_MVE
  const int32x4x4_t numbers = vld4q_s32((const int32_t *)by);
  int32x4_t sums = numbers.val[0];
#else
  int32_t s0 = by[0].bias, s1 = by[1].bias, s2 = by[2].bias, s3 = by[3].bias;
#endif
  for (int32_t kh = at->first_h; kh < at->end_h; ++kh) {
    const int32_t row = at->top + kh * layer->dilation_h;
    const int16_t *x = in + (row * layer->in_w + at->left + at->first_w * layer->dilation_w) * layer->in_c + channel;
    const int8_t *w =
        (const int8_t *)layer->weights + (kh * layer->kernel_w + at->first_w) * layer->out_c + channel;
    for (int32_t kw = at->first_w; kw < at->end_w; ++kw, x += step, w += layer->out_c) {
#if ADZE_MVE
      sums = vaddq_s32(sums, vmulq_s32(vldrhq_s32(x), vldrbq_s32(w)));
#else
      const uint32_t word = adze_load4(w), even = adze_even_bytes(word), odd = adze_odd_bytes(word);
      const uint32_t low = adze_load4(x), high = adze_load4(x + 2);
      s0 = adze_low_mla(low, even, s0);
      s1 = adze_high_low_mla(low, odd, s1);
      s2 = adze_low_high_mla(high, even, s2);
      s3 = adze_high_mla(high, odd, s3);
#endif
    }
  }
#if ADZE_MVE
  int32x4_t y = vaddq_s32(vmulhq_s32(sums, numbers.val[1]), numbers.val[2]);
  y = vshlq_s32(y, vnegq_s32(numbers.val[3]));
  vstrhq_s32(out, vminq_s32(vmaxq_s32(y, vdupq_n_s32(layer->out.min)), vdupq_n_s32(layer->out.max)));
#else
  out[0] = adze_finish_s16(s0, &by[0], &layer->out);
  out[1] = adze_finish_s16(s1, &by[1], &layer->out);
  out[2] = adze_finish_s16(s2, &by[2], &layer->out);
  out[3] = adze_finish_s16(s3, &by[3], &layer->out);
#endif
}

void adze_depthwise_s16(const adze_conv *layer, const int16_t *in, int16_t *out, void *scratch) {
  (void)scratch;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t p = 0; p < layer->out_h * layer->out_w; ++p, out += layer->out_c) {
      taps_inside at;
      at.top = p / layer->out_w * layer->stride_h - layer->pad_top;
      at.left = p % layer->out_w * layer->stride_w - layer->pad_left;
      bounds(at.top, layer->kernel_h, layer->dilation_h, layer->in_h, &at.first_h, &at.end_h);
      bounds(at.left, layer->kernel_w, layer->dilation_w, layer->in_w, &at.first_w, &at.end_w);
      int32_t c = 0;
      for (; layer->out.kind == ADZE_FAST && c + 4 <= layer->out_c; c += 4) four(layer, in, &at, c, out + c);
      for (; c < layer->out_c; ++c) out[c] = one(layer, in, &at, c);
    }
  }
}
