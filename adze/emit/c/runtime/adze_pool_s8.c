/* Average and largest of windows. */
#include "adze_pool.h"

static int8_t mean(const adze_pool *layer, int32_t sum, int32_t count) {
  if (layer->out.kind == ADZE_FLOAT) {
    return adze_quantize_real((float)sum * layer->in_scale / (float)count, layer->out_scale, &layer->out);
  }
  if (layer->integer_mean) {
    const int32_t raw = sum + count * (layer->in_zero_point + layer->raw_offset);
    const int32_t rounded = raw > 0 ? (raw + count / 2) / count : (raw - count / 2) / count;
    return (int8_t)adze_clamp(rounded - layer->raw_offset, &layer->out);
  }
  const adze_channel by = adze_divided_by(&layer->by, count);
  return adze_requantize(sum, &by, &layer->out);
}

static int32_t window_sum(const adze_pool *layer, const int8_t *in, int32_t top, int32_t left, int32_t *count) {
  int32_t sum = 0, taps = 0;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    if (row < 0 || row >= layer->in_h) continue;
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw) {
      const int32_t column = left + kw * layer->dilation_w;
      if (column < 0 || column >= layer->in_w) continue;
      sum += in[(row * layer->in_w + column) * layer->channels] - layer->in_zero_point;
      ++taps;
    }
  }
  *count = taps;
  return sum;
}

/* The sums of four neighbouring channels; the window lies inside the picture. */
static void four_sums(const adze_pool *layer, const int8_t *in, int32_t *sums) {
  uint32_t even = 0, odd = 0;
  int32_t held = 0, even_low = 0, even_high = 0, odd_low = 0, odd_high = 0;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int8_t *from = in + kh * layer->in_w * layer->channels;
    for (int32_t kw = layer->kernel_w; kw > 0; --kw, from += layer->channels) {
      const uint32_t word = adze_load4(from);
      even = adze_add_even_bytes(even, word);
      odd = adze_add_odd_bytes(odd, word);
      if (++held == 255) { /* the halves hold no more */
        even_low += adze_low(even), even_high += adze_high(even), odd_low += adze_low(odd), odd_high += adze_high(odd);
        even = odd = 0;
        held = 0;
      }
    }
  }
  sums[0] = even_low + adze_low(even);
  sums[1] = odd_low + adze_low(odd);
  sums[2] = even_high + adze_high(even);
  sums[3] = odd_high + adze_high(odd);
}

/* One output pixel whose window lies inside the picture. */
static void inner_pixel(const adze_pool *layer, const int8_t *in, int8_t *out) {
  const int32_t count = layer->kernel_h * layer->kernel_w;
  for (int32_t c = 0; c < layer->channels; c += 4) {
    int32_t sums[4];
    four_sums(layer, in + c, sums);
    for (int32_t i = 0; i < 4; ++i) out[c + i] = mean(layer, sums[i] - count * layer->in_zero_point, count);
  }
}

void adze_average_pool_s8(const adze_pool *layer, const int8_t *in, int8_t *out) {
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->channels) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x) {
        const int32_t top = y * layer->stride_h - layer->pad_top, left = x * layer->stride_w - layer->pad_left;
        if (layer->channels % 4 == 0 && layer->dilation_h == 1 && layer->dilation_w == 1 && top >= 0 && left >= 0 &&
            top + layer->kernel_h <= layer->in_h && left + layer->kernel_w <= layer->in_w) {
          inner_pixel(layer, in + (top * layer->in_w + left) * layer->channels, out);
          out += layer->channels;
          continue;
        }
        const int32_t padded = adze_padded_taps(layer, top, left);
        for (int32_t c = 0; c < layer->channels; ++c) {
          int32_t taps;
          const int32_t sum = window_sum(layer, in + c, top, left, &taps);
          *out++ = mean(layer, sum, layer->count_padding ? padded : taps);
        }
      }
    }
  }
}

static int8_t largest(const adze_pool *layer, const int8_t *in, int32_t top, int32_t left) {
  int8_t best = INT8_MIN;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    if (row < 0 || row >= layer->in_h) continue;
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw) {
      const int32_t column = left + kw * layer->dilation_w;
      if (column < 0 || column >= layer->in_w) continue;
      const int8_t value = in[(row * layer->in_w + column) * layer->channels];
      if (value > best) best = value;
    }
  }
  return best;
}

void adze_max_pool_s8(const adze_pool *layer, const int8_t *in, int8_t *out) {
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->channels) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x) {
        const int32_t top = y * layer->stride_h - layer->pad_top, left = x * layer->stride_w - layer->pad_left;
        for (int32_t c = 0; c < layer->channels; ++c) *out++ = largest(layer, in + c, top, left);
      }
    }
  }
}
