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

/* Whole pairs of columns inside the picture. */
ADZE_APART void turn_pairs(const int8_t *from, int32_t step, uint32_t *to, int32_t words, int32_t count) {
  uint32_t *a = to, *b = to + words, *c = b + words, *d = c + words;
  for (const uint32_t *const end = to + count; a != end; from += 2 * step) {
    const uint32_t first = adze_load4(from), second = adze_load4(from + step);
    const uint32_t first_even = adze_even_bytes(first), first_odd = adze_odd_bytes(first);
    const uint32_t second_even = adze_even_bytes(second), second_odd = adze_odd_bytes(second);
    *a++ = adze_low_halves(first_even, second_even);
    *b++ = adze_low_halves(first_odd, second_odd);
    *c++ = adze_high_halves(first_even, second_even);
    *d++ = adze_high_halves(first_odd, second_odd);
  }
}

static void fill(uint32_t *to, int32_t value, int32_t count) {
  const uint32_t half = (uint32_t)value & 0xffffu, word = half | (half << 16);
  for (; count > 0; --count) *to++ = word;
}

/* Row of the picture; what only holds padding was filled before. channels: how many of the four exist. */
ADZE_APART void turn_row(const adze_conv *layer, const int8_t *image, int32_t row, int32_t channels, uint32_t *to,
                     int32_t words) {
  const uint32_t pad = ((uint32_t)layer->in_zero_point & 0xffu) * 0x01010101u;
  const int32_t step = layer->in_c;
  if (row < 0 || row >= layer->in_h) {
    fill(to, layer->in_zero_point, 4 * words);
    return;
  }
  const int8_t *from = image + row * layer->in_w * step;
  int32_t word = layer->pad_left >> 1, left = layer->in_w;
  if ((layer->pad_left & 1) != 0) {
    pair(pad, load_some(from, channels), to + word, words);
    ++word, --left, from += step;
  }
  const int32_t pairs = left >> 1 < words - word ? left >> 1 : words - word;
  if (channels >= 4) {
    turn_pairs(from, step, to + word, words, pairs);
  } else {
    for (int32_t i = 0; i < pairs; ++i) {
      pair(load_some(from + 2 * i * step, channels), load_some(from + (2 * i + 1) * step, channels), to + word + i,
           words);
    }
  }
  if ((left & 1) != 0 && word + pairs < words) {
    pair(load_some(from + 2 * pairs * step, channels), pad, to + word + pairs, words);
  }
}

/* What one channel needs: of each row of three weights (0, 1) and (1, 2), doubled as requantization wants twice the
   sum; then bias, multiplier, offset, shift. The last word is the bytes from one output to the next. */
#define CHANNEL_WORDS 12
static void turn_weights(const int8_t *weights, const adze_channel *by, int32_t step, uint32_t *to) {
  for (int32_t kh = 0; kh < 3; ++kh, weights += 3, to += 2) {
    const uint32_t w0 = (uint32_t)(2 * weights[0]), w1 = (uint32_t)(2 * weights[1]), w2 = (uint32_t)(2 * weights[2]);
    to[0] = adze_low_halves(w0, w1);
    to[1] = adze_low_halves(w1, w2);
  }
  to[0] = 2u * (uint32_t)by->bias;
  to[1] = (uint32_t)by->multiplier;
  to[2] = (uint32_t)by->offset;
  to[3] = (uint32_t)by->shift;
  to[4] = (uint32_t)step;
}

#define C_ROW_STRIDE_1(x, w)                  \
  do {                                      \
    s0 = adze_dot2((x)[0], (w)[0], s0);     \
    s1 = adze_high_low_mla((x)[0], (w)[0], s1); \
    s0 = adze_low_high_mla((x)[1], (w)[1], s0); \
    s1 = adze_dot2((x)[1], (w)[1], s1);     \
    s2 = adze_dot2((x)[1], (w)[0], s2);     \
    s3 = adze_high_low_mla((x)[1], (w)[0], s3); \
    s2 = adze_low_high_mla((x)[2], (w)[1], s2); \
    s3 = adze_dot2((x)[2], (w)[1], s3);     \
    (x) += 2;                               \
  } while (0)
#define C_ROW_STRIDE_1_HALF(x, w)             \
  do {                                      \
    s0 = adze_dot2((x)[0], (w)[0], s0);     \
    s1 = adze_high_low_mla((x)[0], (w)[0], s1); \
    s0 = adze_low_high_mla((x)[1], (w)[1], s0); \
    s1 = adze_dot2((x)[1], (w)[1], s1);     \
    (x) += 2;                               \
  } while (0)
#define C_ROW_STRIDE_2(x, w)                  \
  do {                                      \
    s0 = adze_dot2((x)[0], (w)[0], s0);     \
    s0 = adze_low_high_mla((x)[1], (w)[1], s0); \
    s1 = adze_dot2((x)[1], (w)[0], s1);     \
    s1 = adze_low_high_mla((x)[2], (w)[1], s1); \
    s2 = adze_dot2((x)[2], (w)[0], s2);     \
    s2 = adze_low_high_mla((x)[3], (w)[1], s2); \
    s3 = adze_dot2((x)[3], (w)[0], s3);     \
    s3 = adze_low_high_mla((x)[4], (w)[1], s3); \
    (x) += 4;                               \
  } while (0)
/* s is twice the sum. */
#define STORE(s)                                                                                                   \
  do {                                                                                                             \
    const int32_t rounded = adze_high_product((s), (int32_t)weights[7], (int32_t)weights[8]) + adze_shift_right((s), 31); \
    *to = (int8_t)adze_saturate8(adze_shift_right(rounded, (int32_t)weights[9]));                                  \
    to += weights[10];                                                                                             \
  } while (0)

/* Four neighbouring outputs over three rows; the rows go on by four outputs. */
#if ADZE_DSP && defined(__OPTIMIZE__)
#define ROW_STRIDE_1(row, at)                  \
  "ldrd %[w0], %[w1], [%[w], #" at "]\n\t"     \
  "ldr %[x2], [%[" row "], #8]\n\t"            \
  "ldrd %[x0], %[x1], [%[" row "]], #8\n\t"    \
  "smlad %[s0], %[x0], %[w0], %[s0]\n\t"       \
  "smlatb %[s1], %[x0], %[w0], %[s1]\n\t"      \
  "smlabt %[s0], %[x1], %[w1], %[s0]\n\t"      \
  "smlad %[s1], %[x1], %[w1], %[s1]\n\t"       \
  "smlad %[s2], %[x1], %[w0], %[s2]\n\t"       \
  "smlatb %[s3], %[x1], %[w0], %[s3]\n\t"      \
  "smlabt %[s2], %[x2], %[w1], %[s2]\n\t"      \
  "smlad %[s3], %[x2], %[w1], %[s3]\n\t"
#define ROW_STRIDE_2(row, at)                  \
  "ldrd %[w0], %[w1], [%[w], #" at "]\n\t"     \
  "ldrd %[x0], %[x1], [%[" row "]]\n\t"        \
  "smlad %[s0], %[x0], %[w0], %[s0]\n\t"       \
  "smlabt %[s0], %[x1], %[w1], %[s0]\n\t"      \
  "smlad %[s1], %[x1], %[w0], %[s1]\n\t"       \
  "ldrd %[x0], %[x1], [%[" row "], #8]\n\t"    \
  "smlabt %[s1], %[x0], %[w1], %[s1]\n\t"      \
  "smlad %[s2], %[x0], %[w0], %[s2]\n\t"       \
  "smlabt %[s2], %[x1], %[w1], %[s2]\n\t"      \
  "smlad %[s3], %[x1], %[w0], %[s3]\n\t"       \
  "ldr %[x0], [%[" row "], #16]!\n\t"          \
  "smlabt %[s3], %[x0], %[w1], %[s3]\n\t"
#define BYTE(s, to)                           \
  "smmlar %[w1], %[" s "], %[x0], %[x1]\n\t"  \
  "add %[w1], %[w1], %[" s "], asr #31\n\t"   \
  "asr %[w1], %[w1], %[x2]\n\t"               \
  "ssat %[w1], #8, %[w1]\n\t"                 \
  "strb %[w1], " to "\n\t"
#define BLOCKS(ROW)                                                                                            \
  do {                                                                                                         \
    uint32_t x0, x1, x2, w0, w1;                                                                               \
    int32_t s0, s1, s2, s3;                                                                                    \
    __asm__ volatile(                                                                                          \
        "1:\n\t"                                                                                               \
        "ldr %[s0], [%[w], #24]\n\t"                                                                           \
        "mov %[s1], %[s0]\n\t"                                                                                 \
        "mov %[s2], %[s0]\n\t"                                                                                 \
        "mov %[s3], %[s0]\n\t" ROW("r0", "0") ROW("r1", "8") ROW("r2", "16")                                   \
        "ldrd %[x0], %[x1], [%[w], #28]\n\t"                                                                   \
        "ldrd %[x2], %[w0], [%[w], #36]\n\t" BYTE("s0", "[%[to]]") BYTE("s1", "[%[to], %[w0]]")                \
        "add %[to], %[to], %[w0], lsl #1\n\t" BYTE("s2", "[%[to]]") BYTE("s3", "[%[to], %[w0]]")               \
        "add %[to], %[to], %[w0], lsl #1\n\t"                                                                  \
        "ldr %[x0], %[end]\n\t"                                                                                \
        "cmp %[r0], %[x0]\n\t"                                                                                 \
        "bne 1b\n\t"                                                                                           \
        : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [r0] "+r"(r0), [r1] "+r"(r1),        \
          [r2] "+r"(r2), [to] "+r"(to), [x0] "=&r"(x0), [x1] "=&r"(x1), [x2] "=&r"(x2), [w0] "=&r"(w0),        \
          [w1] "=&r"(w1)                                                                                       \
        : [w] "r"(weights), [end] "m"(end)                                                                     \
        : "cc", "memory");                                                                                     \
  } while (0)
#define BLOCKS_STRIDE_1() BLOCKS(ROW_STRIDE_1)
#define BLOCKS_STRIDE_2() BLOCKS(ROW_STRIDE_2)
#else
#define BLOCKS(ROW)                          \
  do {                                       \
    while (r0 != end) {                      \
      int32_t s0, s1, s2, s3;                \
      s0 = s1 = s2 = s3 = (int32_t)weights[6]; \
      ROW(r0, weights);                      \
      ROW(r1, weights + 2);                  \
      ROW(r2, weights + 4);                  \
      STORE(s0);                             \
      STORE(s1);                             \
      STORE(s2);                             \
      STORE(s3);                             \
    }                                        \
  } while (0)
#define BLOCKS_STRIDE_1() BLOCKS(C_ROW_STRIDE_1)
#define BLOCKS_STRIDE_2() BLOCKS(C_ROW_STRIDE_2)
#endif

/* One row of one channel. The outputs that four do not divide come last. */
#define CHANNEL_ROW(name, BLOCKS_OF_FOUR, ROW, ROW_HALF, words_a_block)                                        \
  ADZE_APART void name(const uint32_t *r0, const uint32_t *r1, const uint32_t *r2, const uint32_t *weights,    \
                       int32_t columns, int8_t *to) {                                                          \
    const uint32_t *const end = r0 + (columns >> 2) * words_a_block;                                           \
    int32_t s0, s1, s2, s3;                                                                                    \
    if (columns > 3) BLOCKS_OF_FOUR();                                                                         \
    columns &= 3;                                                                                              \
    if (columns == 0) return;                                                                                  \
    s0 = s1 = s2 = s3 = (int32_t)weights[6];                                                                   \
    if (columns < 3) {                                                                                         \
      ROW_HALF(r0, weights);                                                                                   \
      ROW_HALF(r1, weights + 2);                                                                               \
      ROW_HALF(r2, weights + 4);                                                                               \
    } else {                                                                                                   \
      ROW(r0, weights);                                                                                        \
      ROW(r1, weights + 2);                                                                                    \
      ROW(r2, weights + 4);                                                                                    \
      (void)s3;                                                                                                \
    }                                                                                                          \
    STORE(s0);                                                                                                 \
    if (columns > 1) STORE(s1);                                                                                \
    if (columns > 2) STORE(s2);                                                                                \
  }

CHANNEL_ROW(row_stride_1, BLOCKS_STRIDE_1, C_ROW_STRIDE_1, C_ROW_STRIDE_1_HALF, 2)
CHANNEL_ROW(row_stride_2, BLOCKS_STRIDE_2, C_ROW_STRIDE_2, C_ROW_STRIDE_2, 4)

static void four_channels(const adze_conv *layer, const int8_t *in, int32_t channels,
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
        row_stride_1(r0, r1, r2, weights + CHANNEL_WORDS * c, layer->out_w, out + c);
      } else {
        row_stride_2(r0, r1, r2, weights + CHANNEL_WORDS * c, layer->out_w, out + c);
      }
    }
    out += layer->out_w * layer->out_c;
  }
}

void adze_depthwise_3x3_s8_dsp(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  uint32_t *weights = (uint32_t *)scratch, *ring = weights + 4 * CHANNEL_WORDS;
  const int32_t words = (layer->out_w + 3) / 4 * 2 * layer->stride_w + 2;
  for (int32_t n = 0; n < layer->batch; ++n) {
    for (int32_t channel = 0; channel < layer->out_c; channel += 4) {
      const int32_t channels = layer->out_c - channel;
      fill(ring, layer->in_zero_point, 12 * words);
      for (int32_t c = 0; c < 4 && c < channels; ++c) {
        turn_weights((const int8_t *)layer->weights + 9 * (channel + c), layer->channels + channel + c, layer->out_c,
                     weights + CHANNEL_WORDS * c);
      }
      four_channels(layer, in + channel, channels, weights, ring, words, out + channel);
    }
    in += layer->in_h * layer->in_w * layer->in_c;
    out += layer->out_h * layer->out_w * layer->out_c;
  }
}
