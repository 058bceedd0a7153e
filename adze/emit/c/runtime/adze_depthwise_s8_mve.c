/* Depthwise convolution for cores with vectors: four channels, four output columns a pass over padded rows. */
#include "adze_rows_mve.h"

#define MAX_KERNEL 16

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

static void one_channel(const adze_conv *layer, const int8_t *const *rows, int32_t channel, int32_t first,
                        int32_t columns, int8_t *out) {
  const adze_channel *by = layer->channels + channel;
  for (int32_t i = 0; i < columns; ++i, out += layer->out_c) {
    const int32_t taps = layer->kernel_h * layer->kernel_w;
    const int8_t *w = (const int8_t *)layer->weights + (channel >> 2) * 4 * taps + (channel & 3);
    uint32_t sum = (uint32_t)by->bias;
    for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
      const int8_t *x = rows[kh] + (first + i) * layer->stride_w * layer->in_c + channel;
      for (int32_t kw = 0; kw < layer->kernel_w; ++kw, w += 4) {
        sum += (uint32_t)(x[kw * layer->dilation_w * layer->in_c] * *w);
      }
    }
    out[channel] = adze_requantize((int32_t)sum, by, &layer->out);
  }
}

#if ADZE_MVE
#define TAP(s, x, w) s = vaddq_s32(s, vmulq_s32((x), (w)))

#define STORE_SOME()                                                                                      \
  do {                                                                                                    \
    if (layer->out.min == -128 && layer->out.max == 127) {                                                \
      vstrbq_s32(out, adze_fast_four_whole(s0, &by));                                                     \
      if (columns > 1) vstrbq_s32(out + step, adze_fast_four_whole(s1, &by));                             \
      if (columns > 2) vstrbq_s32(out + 2 * step, adze_fast_four_whole(s2, &by));                         \
      if (columns > 3) vstrbq_s32(out + 3 * step, adze_fast_four_whole(s3, &by));                         \
    } else {                                                                                              \
      store_clamped(layer, s0, &by, out);                                                                 \
      if (columns > 1) store_clamped(layer, s1, &by, out + step);                                         \
      if (columns > 2) store_clamped(layer, s2, &by, out + 2 * step);                                     \
      if (columns > 3) store_clamped(layer, s3, &by, out + 3 * step);                                     \
    }                                                                                                     \
  } while (0)

ADZE_APART void store_clamped(const adze_conv *layer, int32x4_t sum, const adze_four *by, int8_t *out) {
  vstrbq_s32(out, adze_fast_four(sum, by, vdupq_n_s32(layer->out.min), vdupq_n_s32(layer->out.max)));
}

#define LOAD_COLUMN "vldrb.s32 q4, [%[x]]\n\tadd %[x], %[x], %[step]\n\t"
#define SUM(s, w) "vmul.i32 q5, q4, " w "\n\tvadd.i32 %q[" s "], %q[" s "], q5\n\t"

/* Three taps at stride 1: six columns serve four outputs of four channels. */
ADZE_APART void three_by_four(const adze_conv *layer, const int8_t *const *rows, int32_t offset, int32_t channel,
                              int32_t columns, int8_t *out) {
  const int8_t *w = (const int8_t *)layer->weights + channel * layer->kernel_h * 3;
  const int32_t step = layer->in_c;
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int8_t *x = rows[kh] + offset;
    __asm__ volatile(
        "vldrb.s32 q6, [%[w]]\n\t"
        "vldrb.s32 q7, [%[w], #4]\n\t"
        LOAD_COLUMN SUM("s0", "q6")
        LOAD_COLUMN SUM("s0", "q7") SUM("s1", "q6")
        LOAD_COLUMN SUM("s1", "q7") SUM("s2", "q6")
        "vldrb.s32 q5, [%[w], #8]\n\t"
        "vmul.i32 q5, q4, q5\n\t"
        "vadd.i32 %q[s0], %q[s0], q5\n\t"
        LOAD_COLUMN SUM("s2", "q7") SUM("s3", "q6")
        "vldrb.s32 q6, [%[w], #8]\n\t"
        "add %[w], %[w], #12\n\t"
        SUM("s1", "q6")
        LOAD_COLUMN SUM("s3", "q7") SUM("s2", "q6")
        "vldrb.s32 q4, [%[x]]\n\t"
        SUM("s3", "q6")
        : [x] "+l"(x), [w] "+l"(w), [s0] "+w"(s0), [s1] "+w"(s1), [s2] "+w"(s2), [s3] "+w"(s3)
        : [step] "r"(step)
        : "q4", "q5", "q6", "q7", "memory");
  }
  const adze_four by = adze_load_four(layer->channels + channel);
  s0 = vaddq_s32(s0, by.bias), s1 = vaddq_s32(s1, by.bias);
  s2 = vaddq_s32(s2, by.bias), s3 = vaddq_s32(s3, by.bias);
  STORE_SOME();
}

/* The same for one or two outputs. */
ADZE_APART void three_by_two(const adze_conv *layer, const int8_t *const *rows, int32_t offset, int32_t channel,
                             int32_t columns, int8_t *out) {
  const adze_four by = adze_load_four(layer->channels + channel);
  const int8_t *w = (const int8_t *)layer->weights + channel * layer->kernel_h * 3;
  const int32_t step = layer->in_c;
  int32x4_t s0 = by.bias, s1 = by.bias;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh, w += 12) {
    const int8_t *x = rows[kh] + offset;
    const int32x4_t w0 = vldrbq_s32(w), w1 = vldrbq_s32(w + 4), w2 = vldrbq_s32(w + 8);
    int32x4_t v = vldrbq_s32(x);
    TAP(s0, v, w0);
    v = vldrbq_s32(x + step);
    TAP(s0, v, w1);
    TAP(s1, v, w0);
    v = vldrbq_s32(x + 2 * step);
    TAP(s0, v, w2);
    TAP(s1, v, w1);
    v = vldrbq_s32(x + 3 * step);
    TAP(s1, v, w2);
  }
  const int32x4_t s2 = s0, s3 = s1; /* not stored */
  STORE_SOME();
}

/* Any kernel. */
ADZE_APART void any_by_four(const adze_conv *layer, const int8_t *const *rows, int32_t offset, int32_t channel,
                            int32_t columns, int8_t *out) {
  const adze_four by = adze_load_four(layer->channels + channel);
  const int8_t *w = (const int8_t *)layer->weights + channel * layer->kernel_h * layer->kernel_w;
  const int32_t step = layer->in_c, stride = layer->stride_w * step;
  int32x4_t s0 = by.bias, s1 = by.bias, s2 = by.bias, s3 = by.bias;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int8_t *x = rows[kh] + offset;
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw, w += 4, x += layer->dilation_w * step) {
      const int32x4_t v = vldrbq_s32(w);
      const int8_t *at = x;
      TAP(s0, vldrbq_s32(at), v);
      at += stride;
      TAP(s1, vldrbq_s32(at), v);
      at += stride;
      TAP(s2, vldrbq_s32(at), v);
      at += stride;
      TAP(s3, vldrbq_s32(at), v);
    }
  }
  STORE_SOME();
}
#endif

static void all_channels(const adze_conv *layer, const int8_t *const *rows, int32_t first, int32_t columns,
                         int8_t *out) {
  int32_t channel = 0;
#if ADZE_MVE
  if (layer->out.kind == ADZE_FAST) {
    const int three = layer->kernel_w == 3 && layer->stride_w == 1 && layer->dilation_w == 1;
    for (; channel + 4 <= layer->out_c; channel += 4) {
      const int32_t offset = first * layer->stride_w * layer->in_c + channel;
      if (!three) {
        any_by_four(layer, rows, offset, channel, columns, out + channel);
      } else if (columns > 2) {
        three_by_four(layer, rows, offset, channel, columns, out + channel);
      } else {
        three_by_two(layer, rows, offset, channel, columns, out + channel);
      }
    }
  }
#endif
  for (; channel < layer->out_c; ++channel) one_channel(layer, rows, channel, first, columns, out);
}

void adze_depthwise_s8_mve(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *ring = (int8_t *)scratch;
  const int32_t bytes = row_bytes(layer), extent = layer->dilation_h * (layer->kernel_h - 1) + 1;
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
        all_channels(layer, rows, x, columns, out);
        out += columns * layer->out_c;
      }
    }
  }
}
