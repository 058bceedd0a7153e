/* Softmax of 16-bit numbers by two tables. */
#include "adze_s16.h"

static int32_t multiply(int32_t x, const adze_channel *by, int32_t kind) {
  return kind == ADZE_ONCE ? adze_multiply_once(x, by->multiplier, by->shift)
                           : adze_multiply_twice(x, by->multiplier, by->shift);
}

static int32_t bounded(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

static void row(const adze_softmax_words *layer, const int16_t *in, int16_t *out) {
  int32_t largest = INT16_MIN;
  for (int32_t i = 0; i < layer->count; ++i) {
    if (in[i * layer->inner] > largest) largest = in[i * layer->inner];
  }
  uint32_t sum = 0;
  for (int32_t i = 0; i < layer->count; ++i) {
    const int32_t difference = multiply(in[i * layer->inner] - largest, &layer->difference, layer->out.kind);
    const int32_t at = difference < -65535 ? INT16_MIN : bounded(difference + INT16_MAX, INT16_MIN, INT16_MAX);
    const int32_t exponential = adze_interpolate(layer->exponentials, at);
    out[i * layer->inner] = (int16_t)exponential;
    sum += (uint32_t)exponential;
  }
  int32_t headroom = 0;
  while (headroom < 31 && ((sum << headroom) & 0x80000000u) == 0) ++headroom;
  const int32_t shifted = (int32_t)((((uint64_t)sum << (headroom - 1)) + (1u << 13)) >> 14);
  const int32_t reciprocal = adze_interpolate(layer->reciprocals, bounded(shifted - 98304, INT16_MIN, INT16_MAX));
  const int32_t right = 31 - headroom;
  for (int32_t i = 0; i < layer->count; ++i) {
    const int32_t product = out[i * layer->inner] * reciprocal; /* below 2^30 */
    int32_t share = bounded(adze_shift_right(product + (1 << (right - 1)), right), 0, INT16_MAX);
    if (layer->rescale.multiplier != 0) share = multiply(share, &layer->rescale, layer->out.kind);
    out[i * layer->inner] = (int16_t)adze_clamp(share, &layer->out);
  }
}

void adze_softmax_s16(const adze_softmax_words *layer, const int16_t *in, int16_t *out) {
  for (int32_t i = 0; i < layer->outer * layer->inner; ++i) {
    const int32_t first = i / layer->inner * layer->inner * layer->count + i % layer->inner;
    row(layer, in + first, out + first);
  }
}
