/* One kernel for all convolutions and fully connected layers, where code and tables must be small. */
#include "adze_small.h"

#include "adze_patch.h"
#include "adze_requantize.h"

/* Adds to four sums the products of x with four rows that lie depth bytes apart. */
static void dot4(const int8_t* x, const int8_t* w, int32_t depth, int32_t* sums) {
  int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3], left = depth;
#if ADZE_DSP
  for (; left >= 4; left -= 4, x += 4, w += 4) {
    const uint32_t bytes = adze_load4(x), even = adze_even_bytes(bytes), odd = adze_odd_bytes(bytes);
    const uint32_t w0 = adze_load4(w), w1 = adze_load4(w + depth);
    const uint32_t w2 = adze_load4(w + 2 * depth), w3 = adze_load4(w + 3 * depth);
    a = adze_dot2(adze_odd_bytes(w0), odd, adze_dot2(adze_even_bytes(w0), even, a));
    b = adze_dot2(adze_odd_bytes(w1), odd, adze_dot2(adze_even_bytes(w1), even, b));
    c = adze_dot2(adze_odd_bytes(w2), odd, adze_dot2(adze_even_bytes(w2), even, c));
    d = adze_dot2(adze_odd_bytes(w3), odd, adze_dot2(adze_even_bytes(w3), even, d));
  }
#endif
  for (; left > 0; --left, ++w) {
    const int32_t value = *x++;
    a = (int32_t)((uint32_t)a + (uint32_t)(value * w[0]));
    b = (int32_t)((uint32_t)b + (uint32_t)(value * w[depth]));
    c = (int32_t)((uint32_t)c + (uint32_t)(value * w[2 * depth]));
    d = (int32_t)((uint32_t)d + (uint32_t)(value * w[3 * depth]));
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

/* The sum of one filter; its taps lie step bytes apart in x. */
static int32_t window(const int8_t* x, int32_t taps, int32_t step, int32_t channels, const int8_t* w, int32_t sum) {
  if (channels == 1) {
    for (; taps > 0; --taps, x += step) sum = (int32_t)((uint32_t)sum + (uint32_t)(*x * *w++));
    return sum;
  }
  for (; taps > 0; --taps, x += step) {
    for (int32_t c = 0; c < channels; ++c) sum = (int32_t)((uint32_t)sum + (uint32_t)(x[c] * *w++));
  }
  return sum;
}

static int8_t small_requantize(const adze_small* layer, int32_t sum, const adze_small_channel* by) {
  const int32_t shift = (by->bias_and_shift & 63) - 32, zero_point = layer->zero_point;
  int32_t y;
  if (by->multiplier == 0) {
    y = adze_shift_right(by->bias_and_shift, 6); /* one number, whatever the sum */
  } else if (layer->kind == ADZE_FAST) {
    const int32_t offset = (int32_t)((1u << (shift - 1)) + ((uint32_t)zero_point << shift));
    y = adze_fast(sum, by->multiplier, offset, shift);
  } else if (layer->kind == ADZE_FLOAT) {
    const float real = (float)sum * adze_float_of_bits(by->multiplier);
    y = zero_point + adze_round_half_even(real, layer->min - zero_point, layer->max - zero_point);
  } else {
    y = layer->kind == ADZE_TWICE ? adze_multiply_twice(sum, by->multiplier, shift)
                                  : adze_multiply_once(sum, by->multiplier, shift);
    y = y > 1024 ? 1024 : y < -1024 ? -1024 : y; /* beyond all bytes, however the zero point lies */
    y += zero_point;
  }
  return (int8_t)(y < layer->min ? layer->min : y > layer->max ? layer->max : y);
}

/* x: the patch of one pixel, or the pixel itself; weights: of the filter first. */
static void filters(const adze_small* layer, int32_t first, int32_t count, const int8_t* weights, const int8_t* x,
                    int8_t* out) {
  const int32_t channels = layer->in_c / layer->groups, of_group = layer->out_c / layer->groups;
  const int32_t taps = layer->kernel_h * layer->kernel_w, depth = taps * channels, end = first + count;
  for (int32_t m = first; m < end;) {
    const adze_small_channel* by = &layer->channels[m];
    int32_t sums[4], together = 1;
    sums[0] = adze_shift_right(by[0].bias_and_shift, 6);
    if (layer->groups == 1 && m + 4 <= end) {
      together = 4;
      for (int32_t i = 1; i < 4; ++i) sums[i] = adze_shift_right(by[i].bias_and_shift, 6);
      dot4(x, weights, depth, sums);
    } else {
      const int32_t group = layer->groups == 1 ? 0 : m / of_group;
      sums[0] = window(x + group * channels, taps, layer->in_c, channels, weights, sums[0]);
    }
    weights += together * depth;
    for (int32_t i = 0; i < together; ++i) out[m + i] = small_requantize(layer, sums[i], &by[i]);
    m += together;
  }
}

void adze_small_filters(const adze_small* layer, int32_t first, int32_t count, const int8_t* weights, const int8_t* in,
                        int8_t* out, int8_t* patch) {
  adze_conv window_of = {0};
  window_of.in_h = layer->in_h, window_of.in_w = layer->in_w, window_of.in_c = layer->in_c;
  window_of.kernel_h = layer->kernel_h, window_of.kernel_w = layer->kernel_w;
  window_of.stride_h = layer->stride_h, window_of.stride_w = layer->stride_w;
  window_of.dilation_h = layer->dilation_h, window_of.dilation_w = layer->dilation_w;
  window_of.pad_top = layer->pad_top, window_of.pad_left = layer->pad_left;
  window_of.in_zero_point = layer->in_zero_point;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x, out += layer->out_c) {
        const int8_t* from = in + (y * layer->stride_h * layer->in_w + x * layer->stride_w) * layer->in_c;
        if (patch != 0) {
          adze_gather(&window_of, in, y, x, 0, layer->in_c, patch);
          from = patch;
        }
        filters(layer, first, count, weights, from, out);
      }
    }
  }
}

void adze_small_s8(const adze_small* layer, const int8_t* in, int8_t* out, int8_t* patch) {
  adze_small_filters(layer, 0, layer->out_c, (const int8_t*)layer->weights, in, out, patch);
}
