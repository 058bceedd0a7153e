/* Average and largest of windows of 16-bit numbers. */
#include "adze_pool.h"
#include "adze_s16.h"

static int16_t mean(const adze_pool *layer, int32_t sum, int32_t count) {
  if (layer->out.kind == ADZE_FLOAT) {
    return adze_quantize_real_s16((float)sum * layer->in_scale / (float)count, layer->out_scale, &layer->out);
  }
  if (layer->integer_mean) {
    return (int16_t)adze_clamp(sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count, &layer->out);
  }
  const adze_channel by = adze_divided_by(&layer->by, count);
  return adze_finish_s16(sum, &by, &layer->out);
}

/* Sum and largest of a window in one channel, and how many of it lie in the picture. */
typedef struct {
  int32_t sum, largest, taps;
} window;

static window look(const adze_pool *layer, const int16_t *in, int32_t top, int32_t left) {
  window seen = {0, INT16_MIN, 0};
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    if (row < 0 || row >= layer->in_h) continue;
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw) {
      const int32_t column = left + kw * layer->dilation_w;
      if (column < 0 || column >= layer->in_w) continue;
      const int32_t value = in[(row * layer->in_w + column) * layer->channels];
      seen.sum += value;
      if (value > seen.largest) seen.largest = value;
      ++seen.taps;
    }
  }
  return seen;
}

static void run(const adze_pool *layer, const int16_t *in, int16_t *out, int average) {
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->channels) {
    for (int32_t p = 0; p < layer->out_h * layer->out_w; ++p) {
      const int32_t top = p / layer->out_w * layer->stride_h - layer->pad_top;
      const int32_t left = p % layer->out_w * layer->stride_w - layer->pad_left;
      const int32_t padded = average && layer->count_padding ? adze_padded_taps(layer, top, left) : 0;
      for (int32_t c = 0; c < layer->channels; ++c) {
        const window seen = look(layer, in + c, top, left);
        *out++ = average ? mean(layer, seen.sum, layer->count_padding ? padded : seen.taps) : (int16_t)seen.largest;
      }
    }
  }
}

void adze_average_pool_s16(const adze_pool *layer, const int16_t *in, int16_t *out) { run(layer, in, out, 1); }

void adze_max_pool_s16(const adze_pool *layer, const int16_t *in, int16_t *out) { run(layer, in, out, 0); }
