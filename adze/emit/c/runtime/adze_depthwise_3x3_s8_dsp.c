/* 3 x 3 depthwise convolution for cores with 16-bit multiply-accumulate pairs. Four channels at a time: their rows are
   turned into pairs of neighbouring columns, one row of words a channel, so that two of three taps are one instruction. */
#include "adze_requantize.h"

/* Words (0, 1), (2, 3), ... of columns for four channels, each channel's row words apart. */
ADZE_INLINE void pair(uint32_t first, uint32_t second, uint32_t *to, int32_t words) {
  const uint32_t a = adze_even_bytes(first), b = adze_odd_bytes(first);
  const uint32_t c = adze_even_bytes(second), d = adze_odd_bytes(second);
  to[0] = adze_low_halves(a, c);
  to[words] = adze_low_halves(b, d);
  to[2 * words] = adze_high_halves(a, c);
  to[3 * words] = adze_high_halves(b, d);
}

static uint32_t load_some(const int8_t *from, int32_t channels) {
  uint32_t word = 0;
  memcpy(&word, from, (size_t)(channels < 4 ? channels : 4));
  return word;
}

/* Row of the picture with its padding. channels: how many of the four exist. */
static void turn_row(const adze_conv *layer, const int8_t *image, int32_t row, int32_t channels, uint32_t *to,
                     int32_t words) {
  const uint32_t half = (uint32_t)layer->in_zero_point & 0xffu, zeros = half * 0x01010101u;
  const int32_t step = layer->in_c;
  const int inside = row >= 0 && row < layer->in_h;
  const int8_t *from = image + (row * layer->in_w - layer->pad_left) * step;
  int32_t column = -layer->pad_left;
  for (const uint32_t *const end = to + words; to != end; ++to, column += 2, from += 2 * step) {
    if (inside && column >= 0 && column + 1 < layer->in_w && channels >= 4) {
      pair(adze_load4(from), adze_load4(from + step), to, words);
      continue;
    }
    const int first = inside && column >= 0 && column < layer->in_w;
    const int second = inside && column + 1 >= 0 && column + 1 < layer->in_w;
    pair(first ? load_some(from, channels) : zeros, second ? load_some(from + step, channels) : zeros, to, words);
  }
}

/* Of each row of three weights (0, 1) and (1, 2), doubled: requantization wants twice the sum. */
static void turn_weights(const int8_t *weights, uint32_t *to) {
  for (int32_t kh = 0; kh < 3; ++kh, weights += 3, to += 2) {
    const uint32_t w0 = (uint32_t)(2 * weights[0]), w1 = (uint32_t)(2 * weights[1]), w2 = (uint32_t)(2 * weights[2]);
    to[0] = adze_low_halves(w0, w1);
    to[1] = adze_low_halves(w1, w2);
  }
}

#define ROW_STRIDE_1(x, w)                                                   \
  do {                                                                       \
    const uint32_t x0 = (x)[0], x1 = (x)[1], x2 = (x)[2], w01 = (w)[0], w12 = (w)[1]; \
    s0 = adze_dot2(x0, w01, s0);                                             \
    s1 = adze_high_low_mla(x0, w01, s1);                                     \
    s0 = adze_low_high_mla(x1, w12, s0);                                     \
    s1 = adze_dot2(x1, w12, s1);                                             \
    s2 = adze_dot2(x1, w01, s2);                                             \
    s3 = adze_high_low_mla(x1, w01, s3);                                     \
    s2 = adze_low_high_mla(x2, w12, s2);                                     \
    s3 = adze_dot2(x2, w12, s3);                                             \
  } while (0)

#define ROW_STRIDE_2(x, w)                                                   \
  do {                                                                       \
    const uint32_t w01 = (w)[0], w12 = (w)[1];                               \
    uint32_t now = (x)[0];                                                   \
    s0 = adze_dot2(now, w01, s0);                                            \
    now = (x)[1];                                                            \
    s0 = adze_low_high_mla(now, w12, s0);                                    \
    s1 = adze_dot2(now, w01, s1);                                            \
    now = (x)[2];                                                            \
    s1 = adze_low_high_mla(now, w12, s1);                                    \
    s2 = adze_dot2(now, w01, s2);                                            \
    now = (x)[3];                                                            \
    s2 = adze_low_high_mla(now, w12, s2);                                    \
    s3 = adze_dot2(now, w01, s3);                                            \
    s3 = adze_low_high_mla((x)[4], w12, s3);                                 \
  } while (0)

/* s is twice the sum. */
#define STORE(s)                                                                                            \
  do {                                                                                                      \
    const int32_t rounded = adze_high_product((s), multiplier, offset) + adze_shift_right((s), 31);          \
    *to = (int8_t)adze_saturate8(adze_shift_right(rounded, shift));                                         \
    to += step;                                                                                             \
  } while (0)

/* One row of one channel; step: bytes from one output to the next. */
#define CHANNEL_ROW(name, ROW, words_a_block)                                                               \
  static void name(const uint32_t *r0, const uint32_t *r1, const uint32_t *r2, const uint32_t *weights,     \
                   const adze_channel *by, int32_t columns, int8_t *to, int32_t step) {                     \
    const int32_t multiplier = by->multiplier, offset = by->offset, shift = by->shift, bias = 2 * by->bias;  \
    for (; columns > 0; columns -= 4, r0 += words_a_block, r1 += words_a_block, r2 += words_a_block) {      \
      int32_t s0 = bias, s1 = bias, s2 = bias, s3 = bias;                                                   \
      ROW(r0, weights);                                                                                     \
      ROW(r1, weights + 2);                                                                                 \
      ROW(r2, weights + 4);                                                                                 \
      STORE(s0);                                                                                            \
      if (columns == 1) return;                                                                             \
      STORE(s1);                                                                                            \
      if (columns == 2) return;                                                                             \
      STORE(s2);                                                                                            \
      if (columns == 3) return;                                                                             \
      STORE(s3);                                                                                            \
    }                                                                                                       \
  }

CHANNEL_ROW(row_stride_1, ROW_STRIDE_1, 2)
CHANNEL_ROW(row_stride_2, ROW_STRIDE_2, 4)

static void four_channels(const adze_conv *layer, const int8_t *in, int32_t channels, const adze_channel *by,
                          const uint32_t *weights, uint32_t *ring, int32_t words, int8_t *out) {
  int32_t next = -layer->pad_top; /* first row that is not in the ring */
  uint32_t *place = ring;         /* where it goes */
  for (int32_t y = 0; y < layer->out_h; ++y) {
    const int32_t top = y * layer->stride_h - layer->pad_top;
    for (; next < top + 3; ++next) {
      turn_row(layer, in, next, channels, place, words);
      place = place == ring + 8 * words ? ring : place + 4 * words;
    }
    const uint32_t *r0 = place; /* the oldest of three */
    const uint32_t *r1 = r0 == ring + 8 * words ? ring : r0 + 4 * words;
    const uint32_t *r2 = r1 == ring + 8 * words ? ring : r1 + 4 * words;
    for (int32_t c = 0; c < channels && c < 4; ++c, r0 += words, r1 += words, r2 += words) {
      if (layer->stride_w == 1) {
        row_stride_1(r0, r1, r2, weights + 6 * c, by + c, layer->out_w, out + c, layer->out_c);
      } else {
        row_stride_2(r0, r1, r2, weights + 6 * c, by + c, layer->out_w, out + c, layer->out_c);
      }
    }
    out += layer->out_w * layer->out_c;
  }
}

void adze_depthwise_3x3_s8_dsp(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  uint32_t *weights = (uint32_t *)scratch, *ring = weights + 24;
  const int32_t words = (layer->out_w + 3) / 4 * 2 * layer->stride_w + 2;
  for (int32_t n = 0; n < layer->batch; ++n) {
    for (int32_t channel = 0; channel < layer->out_c; channel += 4) {
      const int32_t channels = layer->out_c - channel;
      for (int32_t c = 0; c < 4 && c < channels; ++c) {
        turn_weights((const int8_t *)layer->weights + 9 * (channel + c), weights + 6 * c);
      }
      four_channels(layer, in + channel, channels, layer->channels + channel, weights, ring, words, out + channel);
    }
    in += layer->in_h * layer->in_w * layer->in_c;
    out += layer->out_h * layer->out_w * layer->out_c;
  }
}
