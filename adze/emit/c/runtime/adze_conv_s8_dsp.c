/* Convolution for cores with 16-bit multiply-accumulate pairs: four output pixels and two channels a pass. */
#include "adze_patch.h"
#include "adze_requantize.h"

#define PIXELS 4

/* Bytes as pairs of halves (0, 2), (1, 3), every PIXELS words. count is a multiple of 4. */
ADZE_INLINE uint32_t *expand(const int8_t *from, int32_t count, uint32_t *to) {
  const int8_t *end = from + (count & ~7);
  while (from != end) {
    const uint32_t first = adze_load4(from), second = adze_load4(from + 4);
    from += 8;
    to[0] = adze_even_bytes(first);
    to[PIXELS] = adze_odd_bytes(first);
    to[2 * PIXELS] = adze_even_bytes(second);
    to[3 * PIXELS] = adze_odd_bytes(second);
    to += 4 * PIXELS;
  }
  if ((count & 4) != 0) {
    const uint32_t word = adze_load4(from);
    to[0] = adze_even_bytes(word);
    to[PIXELS] = adze_odd_bytes(word);
    to += 2 * PIXELS;
  }
  return to;
}

static uint32_t *fill(int32_t value, int32_t count, uint32_t *to) {
  const uint32_t half = (uint32_t)value & 0xffffu;
  for (; count > 0; count -= 2, to += PIXELS) *to = half | (half << 16);
  return to;
}

/* The patch of one output pixel whose taps are multiples of four bytes. */
static void expand_taps(const adze_conv *layer, const int8_t *image, int32_t y, int32_t x, uint32_t *to) {
  const int32_t top = y * layer->stride_h - layer->pad_top, left = x * layer->stride_w - layer->pad_left;
  const int32_t channels = layer->in_c;
  const int whole = layer->dilation_w == 1 && left >= 0 && left + layer->kernel_w <= layer->in_w;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = top + kh * layer->dilation_h;
    if (row < 0 || row >= layer->in_h) {
      to = fill(layer->in_zero_point, layer->kernel_w * channels, to);
      continue;
    }
    const int8_t *from = image + (row * layer->in_w + left) * channels;
    if (whole) {
      to = expand(from, layer->kernel_w * channels, to);
      continue;
    }
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw) {
      const int32_t column = left + kw * layer->dilation_w;
      if (column < 0 || column >= layer->in_w) {
        to = fill(layer->in_zero_point, channels, to);
      } else {
        to = expand(from + kw * layer->dilation_w * channels, channels, to);
      }
    }
  }
}

/* a: sums of the first channel for four pixels; b: of the second. depth is a multiple of 8. */
#if ADZE_DSP && defined(__OPTIMIZE__)
#define STEP                         \
  "ldr %[w0], [%[w]], #4\n\t"        \
  "ldrd %[x0], %[x1], [%[x]], #8\n\t" \
  "sxtb16 %[w1], %[w0], ror #8\n\t"  \
  "sxtb16 %[w0], %[w0]\n\t"          \
  "smlad %[a0], %[w0], %[x0], %[a0]\n\t" \
  "smlad %[b0], %[w1], %[x0], %[b0]\n\t" \
  "smlad %[a1], %[w0], %[x1], %[a1]\n\t" \
  "smlad %[b1], %[w1], %[x1], %[b1]\n\t" \
  "ldrd %[x0], %[x1], [%[x]], #8\n\t" \
  "smlad %[a2], %[w0], %[x0], %[a2]\n\t" \
  "smlad %[b2], %[w1], %[x0], %[b2]\n\t" \
  "smlad %[a3], %[w0], %[x1], %[a3]\n\t" \
  "smlad %[b3], %[w1], %[x1], %[b3]\n\t"
#define MULTIPLY()                                                                                          \
  do {                                                                                                      \
    uint32_t w0, w1, x0, x1;                                                                                \
    __asm__ volatile("1:\n\t" STEP STEP STEP STEP                                                           \
                     "ldr %[x0], %[end]\n\t"                                                                \
                     "cmp %[w], %[x0]\n\t"                                                                  \
                     "bne 1b\n\t"                                                                           \
                     : [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3), [b0] "+r"(b0),           \
                       [b1] "+r"(b1), [b2] "+r"(b2), [b3] "+r"(b3), [w] "+r"(w), [x] "+r"(x),               \
                       [w0] "=&r"(w0), [w1] "=&r"(w1), [x0] "=&r"(x0), [x1] "=&r"(x1)                       \
                     : [end] "m"(end)                                                                       \
                     : "cc", "memory");                                                                     \
  } while (0)
#else
#define MULTIPLY()                                                           \
  do {                                                                       \
    for (; w != end; ++w, x += PIXELS) {                                     \
      const uint32_t w0 = adze_even_bytes(*w), w1 = adze_odd_bytes(*w);      \
      a0 = adze_dot2(w0, x[0], a0), b0 = adze_dot2(w1, x[0], b0);            \
      a1 = adze_dot2(w0, x[1], a1), b1 = adze_dot2(w1, x[1], b1);            \
      a2 = adze_dot2(w0, x[2], a2), b2 = adze_dot2(w1, x[2], b2);            \
      a3 = adze_dot2(w0, x[3], a3), b3 = adze_dot2(w1, x[3], b3);            \
    }                                                                        \
  } while (0)
#endif

/* Any form of requantization, and what is less than four pixels or two channels. */
ADZE_APART void any_channels(const adze_conv *layer, const uint32_t *patch, int32_t pixels, int8_t *out) {
  const int32_t words = layer->depth >> 1;
  const uint32_t *w = (const uint32_t *)layer->weights;
  for (int32_t channel = 0; channel < layer->out_c; channel += 2) {
    const adze_channel *by = layer->channels + channel;
    const uint32_t *x = patch, *const end = w + words;
    int32_t a0 = by[0].bias, a1 = a0, a2 = a0, a3 = a0, b0 = by[1].bias, b1 = b0, b2 = b0, b3 = b0;
    MULTIPLY();
    const int32_t a[PIXELS] = {a0, a1, a2, a3}, b[PIXELS] = {b0, b1, b2, b3};
    for (int32_t p = 0; p < pixels; ++p) {
      out[p * layer->out_c + channel] = adze_requantize(a[p], &by[0], &layer->out);
      if (channel + 1 < layer->out_c) out[p * layer->out_c + channel + 1] = adze_requantize(b[p], &by[1], &layer->out);
    }
  }
}

/* Four pixels, an even number of channels, ADZE_FAST into the whole range of a byte. */
#if ADZE_DSP && defined(__OPTIMIZE__)
/* x0, x1, w0: multiplier, offset, shift; w1: bytes from pixel to pixel. */
#define BYTE(s, to)                           \
  "lsl %[w], %[" s "], #1\n\t"                \
  "smmlar %[w], %[w], %[x0], %[x1]\n\t"       \
  "add %[w], %[w], %[" s "], asr #31\n\t"     \
  "asr %[w], %[w], %[w0]\n\t"                 \
  "ssat %[w], #8, %[w]\n\t"                   \
  "strb %[w], " to "\n\t"
#define FOUR_BYTES(s)            \
  BYTE(s "0", "[%[x]]")          \
  BYTE(s "1", "[%[x], %[w1]]")   \
  "add %[x], %[x], %[w1], lsl #1\n\t" \
  BYTE(s "2", "[%[x]]")          \
  BYTE(s "3", "[%[x], %[w1]]")
ADZE_APART void fast_channels(const uint32_t *patch, const uint32_t *w, int32_t words, const adze_channel *by,
                              int32_t channels, int8_t *out) {
  int32_t a0, a1, a2, a3, b0, b1, b2, b3;
  uint32_t w0, w1, x0, x1;
  const uint32_t *x, *end = w + words;
  const int8_t *const last = out + channels;
  const uint32_t bytes = 4u * (uint32_t)words;
  __asm__ volatile(
      "0:\n\t"
      "ldr %[x0], %[by]\n\t"
      "ldr %[a0], [%[x0]]\n\t"
      "ldr %[b0], [%[x0], #16]\n\t"
      "mov %[a1], %[a0]\n\t"
      "mov %[a2], %[a0]\n\t"
      "mov %[a3], %[a0]\n\t"
      "mov %[b1], %[b0]\n\t"
      "mov %[b2], %[b0]\n\t"
      "mov %[b3], %[b0]\n\t"
      "ldr %[x], %[patch]\n\t"
      "1:\n\t" STEP STEP STEP STEP
      "ldr %[x0], %[end]\n\t"
      "cmp %[w], %[x0]\n\t"
      "bne 1b\n\t"
      "ldr %[w], %[by]\n\t"
      "ldrd %[x0], %[x1], [%[w], #4]\n\t"
      "ldr %[w0], [%[w], #12]\n\t"
      "ldr %[x], %[out]\n\t"
      "ldr %[w1], %[step]\n\t"
      FOUR_BYTES("a")
      "ldr %[w], %[by]\n\t"
      "ldrd %[x0], %[x1], [%[w], #20]\n\t"
      "ldr %[w0], [%[w], #28]\n\t"
      "add %[w], %[w], #32\n\t"
      "str %[w], %[by]\n\t"
      "ldr %[x], %[out]\n\t"
      "add %[w], %[x], #2\n\t"
      "str %[w], %[out]\n\t"
      "add %[x], %[x], #1\n\t"
      FOUR_BYTES("b")
      "ldr %[w], %[end]\n\t"
      "ldr %[x0], %[bytes]\n\t"
      "add %[x0], %[x0], %[w]\n\t"
      "str %[x0], %[end]\n\t"
      "ldr %[x0], %[out]\n\t"
      "ldr %[x1], %[last]\n\t"
      "cmp %[x0], %[x1]\n\t"
      "bne.w 0b\n\t"
      : [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3), [b0] "=&r"(b0), [b1] "=&r"(b1),
        [b2] "=&r"(b2), [b3] "=&r"(b3), [w] "+r"(w), [x] "=&r"(x), [w0] "=&r"(w0), [w1] "=&r"(w1), [x0] "=&r"(x0),
        [x1] "=&r"(x1), [by] "+m"(by), [out] "+m"(out), [end] "+m"(end)
      : [patch] "m"(patch), [step] "m"(channels), [bytes] "m"(bytes), [last] "m"(last)
      : "cc", "memory");
}
#else
static void fast_channels(const uint32_t *patch, const uint32_t *w, int32_t words, const adze_channel *by,
                          int32_t channels, int8_t *out) {
  for (int32_t channel = 0; channel < channels; channel += 2, by += 2) {
    const uint32_t *x = patch, *const end = w + words;
    int32_t a0 = by[0].bias, a1 = a0, a2 = a0, a3 = a0, b0 = by[1].bias, b1 = b0, b2 = b0, b3 = b0;
    MULTIPLY();
    const int32_t a[PIXELS] = {a0, a1, a2, a3}, b[PIXELS] = {b0, b1, b2, b3};
    for (int32_t p = 0; p < PIXELS; ++p) {
      int8_t *to = out + p * channels + channel;
      to[0] = (int8_t)adze_saturate8(adze_fast(a[p], by[0].multiplier, by[0].offset, by[0].shift));
      to[1] = (int8_t)adze_saturate8(adze_fast(b[p], by[1].multiplier, by[1].offset, by[1].shift));
    }
  }
}
#endif

static void all_channels(const adze_conv *layer, const uint32_t *patch, int32_t pixels, int8_t *out) {
  const int simple = layer->out.kind == ADZE_FAST && layer->out.min == -128 && layer->out.max == 127;
  if (simple && pixels == PIXELS && layer->out_c % 2 == 0) {
    fast_channels(patch, (const uint32_t *)layer->weights, layer->depth >> 1, layer->channels, layer->out_c, out);
  } else {
    any_channels(layer, patch, pixels, out);
  }
}

void adze_conv_s8_dsp(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  uint32_t *patch = (uint32_t *)scratch;
  int8_t *bytes = (int8_t *)(patch + 2 * layer->depth);
  const int pointwise = adze_is_pointwise(layer), in_words = layer->in_c % 4 == 0;
  const int32_t used = layer->kernel_h * layer->kernel_w * layer->in_c;
  memset(scratch, 0, (size_t)(9 * layer->depth));
  int32_t pixels = 0;
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x) {
        if (in_words && pointwise) {
          expand(in + (y * layer->stride_h * layer->in_w + x * layer->stride_w) * layer->in_c, used, patch + pixels);
        } else if (in_words) {
          expand_taps(layer, in, y, x, patch + pixels);
        } else {
          adze_gather(layer, in, y, x, 0, layer->in_c, bytes);
          expand(bytes, (used + 3) & ~3, patch + pixels);
        }
        if (++pixels == PIXELS) {
          all_channels(layer, patch, PIXELS, out);
          out += PIXELS * layer->out_c;
          pixels = 0;
        }
      }
    }
  }
  if (pixels != 0) all_channels(layer, patch, pixels, out);
}
