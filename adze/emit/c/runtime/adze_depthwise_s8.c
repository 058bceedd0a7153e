/* Depthwise convolution: one filter a channel. */
#include "adze_requantize.h"

static int8_t one(const adze_conv *layer, const int8_t *in, int32_t top, int32_t left, int32_t channel) {
  const int8_t *weights = (const int8_t *)layer->weights + channel;
  int32_t sum = layer->channels[channel].bias;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw, weights += layer->out_c) {
      const int32_t column = left + kw * layer->dilation_w;
      const int inside = row >= 0 && row < layer->in_h && column >= 0 && column < layer->in_w;
      const int32_t x = inside ? in[(row * layer->in_w + column) * layer->in_c + channel] : layer->in_zero_point;
      sum = (int32_t)((uint32_t)sum + (uint32_t)(x * *weights));
    }
  }
  return adze_requantize(sum, &layer->channels[channel], &layer->out);
}

void adze_depthwise_s8(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  (void)scratch;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x) {
        const int32_t top = y * layer->stride_h - layer->pad_top, left = x * layer->stride_w - layer->pad_left;
        for (int32_t c = 0; c < layer->out_c; ++c) *out++ = one(layer, in, top, left, c);
      }
    }
  }
}
