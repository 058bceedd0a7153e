/* Depthwise convolution for cores with 16-bit multiply-accumulate: pairs of channels, four output columns a pass. */
#include "adze_requantize.h"

/* sum[2 * column + channel of the pair] += the taps of one kernel row. from: the first tap's bytes of four channels,
   shifted so that the pair lies in bytes 0 and 2. */
typedef struct {
  int32_t low0, low1, low2, low3, high0, high1, high2, high3;
} adze_sums;

#define TAP(j, w, x)                                        \
  s.low##j = adze_low_mla((x), (w), s.low##j);              \
  s.high##j = adze_high_mla((x), (w), s.high##j)

/* Three taps at stride 1: six columns serve four outputs. */
#define ROW_3_STRIDE_1(PICK)                                        \
  do {                                                              \
    const uint32_t w0 = weights[0], w1 = weights[1], w2 = weights[2]; \
    uint32_t x = PICK(adze_load4(from));                            \
    TAP(0, w0, x);                                                  \
    x = PICK(adze_load4(from + step));                              \
    TAP(0, w1, x);                                                  \
    TAP(1, w0, x);                                                  \
    x = PICK(adze_load4(from + 2 * step));                          \
    TAP(0, w2, x);                                                  \
    TAP(1, w1, x);                                                  \
    TAP(2, w0, x);                                                  \
    x = PICK(adze_load4(from + 3 * step));                          \
    TAP(1, w2, x);                                                  \
    TAP(2, w1, x);                                                  \
    TAP(3, w0, x);                                                  \
    x = PICK(adze_load4(from + 4 * step));                          \
    TAP(2, w2, x);                                                  \
    TAP(3, w1, x);                                                  \
    x = PICK(adze_load4(from + 5 * step));                          \
    TAP(3, w2, x);                                                  \
  } while (0)

/* Three taps at stride 2: nine columns. */
#define ROW_3_STRIDE_2(PICK)                                        \
  do {                                                              \
    const uint32_t w0 = weights[0], w1 = weights[1], w2 = weights[2]; \
    uint32_t x = PICK(adze_load4(from));                            \
    TAP(0, w0, x);                                                  \
    x = PICK(adze_load4(from + step));                              \
    TAP(0, w1, x);                                                  \
    x = PICK(adze_load4(from + 2 * step));                          \
    TAP(0, w2, x);                                                  \
    TAP(1, w0, x);                                                  \
    x = PICK(adze_load4(from + 3 * step));                          \
    TAP(1, w1, x);                                                  \
    x = PICK(adze_load4(from + 4 * step));                          \
    TAP(1, w2, x);                                                  \
    TAP(2, w0, x);                                                  \
    x = PICK(adze_load4(from + 5 * step));                          \
    TAP(2, w1, x);                                                  \
    x = PICK(adze_load4(from + 6 * step));                          \
    TAP(2, w2, x);                                                  \
    TAP(3, w0, x);                                                  \
    x = PICK(adze_load4(from + 7 * step));                          \
    TAP(3, w1, x);                                                  \
    x = PICK(adze_load4(from + 8 * step));                          \
    TAP(3, w2, x);                                                  \
  } while (0)

#define ROW_ANY(PICK)                                                         \
  do {                                                                        \
    const int8_t *at = from;                                                  \
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw, at += layer->dilation_w * step) { \
      const uint32_t w = weights[kw];                                         \
      uint32_t x = PICK(adze_load4(at));                                      \
      TAP(0, w, x);                                                           \
      x = PICK(adze_load4(at + stride));                                      \
      TAP(1, w, x);                                                           \
      x = PICK(adze_load4(at + 2 * stride));                                  \
      TAP(2, w, x);                                                           \
      x = PICK(adze_load4(at + 3 * stride));                                  \
      TAP(3, w, x);                                                           \
    }                                                                         \
  } while (0)

#define SUMS(ROW, PICK)                                                                     \
  do {                                                                                      \
    for (int32_t kh = 0; kh < layer->kernel_h; ++kh, weights += layer->kernel_w) {          \
      const int8_t *from = rows[kh] + offset;                                               \
      ROW(PICK);                                                                            \
    }                                                                                       \
  } while (0)

static void store_some(const adze_conv *layer, const adze_sums *s, int32_t channel, int32_t columns, int8_t *out) {
  const int32_t low[4] = {s->low0, s->low1, s->low2, s->low3}, high[4] = {s->high0, s->high1, s->high2, s->high3};
  for (int32_t i = 0; i < columns; ++i, out += layer->out_c) {
    out[channel] = adze_requantize(low[i], &layer->channels[channel], &layer->out);
    if (channel + 2 < layer->out_c) {
      out[channel + 2] = adze_requantize(high[i], &layer->channels[channel + 2], &layer->out);
    }
  }
}

#define STORE(where, sum) *(where) = (int8_t)adze_saturate8(adze_fast((sum), multiplier, offset_y, shift))

/* Sums of the pair (channel, channel + 2) of four columns, and their bytes. */
#define PASS(ROW, PICK, channel)                                                                              \
  do {                                                                                                        \
    const adze_channel *by = layer->channels + (channel);                                                     \
    adze_sums s;                                                                                              \
    const int32_t high = (channel) + 2 < layer->out_c ? by[2].bias : 0;                                       \
    s.low0 = s.low1 = s.low2 = s.low3 = by[0].bias;                                                           \
    s.high0 = s.high1 = s.high2 = s.high3 = high;                                                             \
    SUMS(ROW, PICK);                                                                                          \
    if (simple && columns == 4 && (channel) + 2 < layer->out_c) {                                             \
      int8_t *to = out + (channel);                                                                           \
      int32_t multiplier = by[0].multiplier, offset_y = by[0].offset, shift = by[0].shift;                    \
      STORE(to, s.low0);                                                                                      \
      STORE(to + step, s.low1);                                                                               \
      STORE(to + 2 * step, s.low2);                                                                           \
      STORE(to + 3 * step, s.low3);                                                                           \
      multiplier = by[2].multiplier, offset_y = by[2].offset, shift = by[2].shift;                            \
      STORE(to + 2, s.high0);                                                                                 \
      STORE(to + step + 2, s.high1);                                                                          \
      STORE(to + 2 * step + 2, s.high2);                                                                      \
      STORE(to + 3 * step + 2, s.high3);                                                                      \
    } else {                                                                                                  \
      store_some(layer, &s, (channel), columns, out);                                                         \
    }                                                                                                         \
  } while (0)

#define FOUR_COLUMNS(name, ROW)                                                                               \
  static void name(const adze_conv *layer, const int8_t *const *rows, int32_t first, int32_t columns,         \
                   int8_t *out) {                                                                             \
    const uint32_t *weights = (const uint32_t *)layer->weights;                                               \
    const int32_t step = layer->in_c, stride = layer->stride_w * step;                                        \
    const int simple = layer->out.kind == ADZE_FAST && layer->out.min == -128 && layer->out.max == 127;       \
    int32_t offset = first * stride;                                                                          \
    for (int32_t channel = 0; channel < layer->out_c; channel += 4, offset += 4) {                            \
      PASS(ROW, adze_even_bytes, channel);                                                                    \
      if (channel + 1 < layer->out_c) {                                                                       \
        PASS(ROW, adze_odd_bytes, channel + 1);                                                               \
      }                                                                                                       \
    }                                                                                                         \
  }

FOUR_COLUMNS(columns_3_stride_1, ROW_3_STRIDE_1)
FOUR_COLUMNS(columns_3_stride_2, ROW_3_STRIDE_2)
FOUR_COLUMNS(columns_any, ROW_ANY)

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
  if (before > 0) memset(to, layer->in_zero_point, (size_t)before);
  memcpy(to + before, image + row * layer->in_w * layer->in_c, (size_t)inside);
  if (bytes > before + inside) {
    memset(to + before + inside, layer->in_zero_point, (size_t)(bytes - before - inside));
  }
}

#define MAX_KERNEL 16

void adze_depthwise_s8_dsp(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *ring = (int8_t *)scratch;
  const int32_t bytes = row_bytes(layer), extent = layer->dilation_h * (layer->kernel_h - 1) + 1;
  const int three = layer->kernel_w == 3 && layer->dilation_w == 1;
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
        if (three && layer->stride_w == 1) {
          columns_3_stride_1(layer, rows, x, columns, out);
        } else if (three && layer->stride_w == 2) {
          columns_3_stride_2(layer, rows, x, columns, out);
        } else {
          columns_any(layer, rows, x, columns, out);
        }
        out += columns * layer->out_c;
      }
    }
  }
}
