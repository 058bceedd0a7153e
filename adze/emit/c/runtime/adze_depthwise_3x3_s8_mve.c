/* Depthwise convolution 3 x 3 for cores with vectors. Each channel keeps four rows of the picture, the four bytes of a
   column side by side: sixteen bytes are a square of 4 x 4, one load of which serves 2 x 2 outputs, each one
   instruction of products. */
#include "adze_rows_mve.h"

/* Bytes of one channel's rows. */
static int32_t plane_bytes(const adze_conv *layer) {
  return 4 * ((layer->out_w - 1) * layer->stride_w + 3);
}

/* Where rows lie: window row kh of output row y is at (y * stride_h + kh) & 3. */
static void copy_row(const adze_conv *layer, const int8_t *image, int32_t row, int8_t *ring, int32_t plane) {
  const int32_t channels = layer->in_c, room = plane / 4 - layer->pad_left;
  const int32_t inside = layer->in_w < room ? layer->in_w : room;
  const int real = row >= 0 && row < layer->in_h;
  const int8_t *from = image + (real ? row : 0) * layer->in_w * channels;
  int8_t *to = ring + 4 * layer->pad_left + ((row + layer->pad_top) & 3);
  for (int32_t x = 0; x < inside; ++x, to += 4) {
    int32_t c = 0;
#if ADZE_MVE
    const uint16x8_t places = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)plane);
    int8_t *at = to;
    uint16x8_t bytes = vdupq_n_u16((uint16_t)layer->in_zero_point);
    for (; c + 8 <= channels; c += 8, from += 8, at += 8 * plane) {
      if (real) bytes = vldrbq_u16((const uint8_t *)from);
      vstrbq_scatter_offset_u16((uint8_t *)at, places, bytes);
    }
#endif
    for (; c < channels; ++c, ++from) to[c * plane] = (int8_t)(real ? *from : layer->in_zero_point);
  }
}

/* Weights of a channel: [column][row] of 3 x 3, each column filled up to four with a zero, four more zeros. */
static const int8_t *weights_of(const adze_conv *layer, int32_t channel) {
  return (const int8_t *)layer->weights + 16 * channel;
}

#if ADZE_MVE
/* Sums of v times a, b, c and d. */
ADZE_INLINE int32x4_t four_sums(int8x16_t v, int8x16_t a, int8x16_t b, int8x16_t c, int8x16_t d) {
  int32x4_t sums;
  __asm__(
      "vmladav.s8 r0, %q[v], %q[a]\n\t"
      "vmladav.s8 r2, %q[v], %q[b]\n\t"
      "vmladav.s8 r4, %q[v], %q[c]\n\t"
      "vmladav.s8 r6, %q[v], %q[d]\n\t"
      "vmov %q[sums][2], %q[sums][0], r0, r4\n\t"
      "vmov %q[sums][3], %q[sums][1], r2, r6\n\t"
      : [sums] "=w"(sums)
      : [v] "w"(v), [a] "w"(a), [b] "w"(b), [c] "w"(c), [d] "w"(d)
      : "r0", "r2", "r4", "r6");
  return sums;
}

/* Sums of w with what lies at p and at each of three steps behind it. */
#define FOUR_PLACES(name, step)                                       \
  ADZE_INLINE int32x4_t name(const int8_t *p, int8x16_t w) {          \
    int32x4_t sums;                                                   \
    __asm__(                                                          \
        "vldrb.8 %q[s], [%[p]]\n\t"                                   \
        "vmladav.s8 r0, %q[s], %q[w]\n\t"                             \
        "vldrb.8 %q[s], [%[p], #" step "]\n\t"                        \
        "vmladav.s8 r2, %q[s], %q[w]\n\t"                             \
        "vldrb.8 %q[s], [%[p], #(2 * " step ")]\n\t"                  \
        "vmladav.s8 r4, %q[s], %q[w]\n\t"                             \
        "vldrb.8 %q[s], [%[p], #(3 * " step ")]\n\t"                  \
        "vmladav.s8 r6, %q[s], %q[w]\n\t"                             \
        "vmov %q[s][2], %q[s][0], r0, r4\n\t"                         \
        "vmov %q[s][3], %q[s][1], r2, r6\n\t"                         \
        : [s] "=&w"(sums)                                             \
        : [p] "r"(p), [w] "w"(w)                                      \
        : "r0", "r2", "r4", "r6", "memory");                          \
    return sums;                                                      \
  }
FOUR_PLACES(four_columns, "4")
FOUR_PLACES(four_second_columns, "8")

/* Sums of one channel to bytes. limits: null for the whole range. */
ADZE_INLINE int32x4_t to_bytes(int32x4_t sum, const adze_channel *by, const adze_output *limits) {
  sum = vaddq_n_s32(sum, by->bias);
  int32x4_t y = vaddq_n_s32(vqrdmulhq_n_s32(sum, by->multiplier), by->offset);
  y = vshlq_r_s32(vaddq_s32(y, vshrq_n_s32(sum, 31)), -by->shift);
  if (limits == 0) return vshrq_n_s32(vqshlq_n_s32(y, 24), 24);
  return vminq_s32(vmaxq_s32(y, vdupq_n_s32(limits->min)), vdupq_n_s32(limits->max));
}

ADZE_INLINE int8x16_t turned(int8x16_t w) { return vreinterpretq_s8_s16(vrev32q_s16(vreinterpretq_s16_s8(w))); }
ADZE_INLINE int8x16_t next_column(int8x16_t w) {
  uint32_t nothing = 0;
  return vshlcq_s8(w, &nothing, 32);
}

/* Two output rows at stride 1: 2 x 2 outputs of a channel a step. */
ADZE_INLINE void two_rows(const adze_conv *layer, const int8_t *ring, int32_t plane, int turn, const adze_output *limits,
                          int8_t *out) {
  const uint32_t down = (uint32_t)(layer->out_w * layer->out_c), right = (uint32_t)layer->out_c;
  const uint32_t offsets[4] = {0, down, right, down + right};
  const uint32x4_t places = vldrwq_u32(offsets);
  const int32_t step = 2 * layer->out_c;
  for (int32_t channel = 0; channel < layer->out_c; ++channel, ring += plane, ++out) {
    const adze_channel by = layer->channels[channel];
    int8x16_t upper = vldrbq_s8(weights_of(layer, channel));
    int8x16_t lower = vreinterpretq_s8_s32(vshlq_n_s32(vreinterpretq_s32_s8(upper), 8));
    if (turn) upper = turned(upper), lower = turned(lower);
    const int8x16_t upper_right = next_column(upper), lower_right = next_column(lower);
    const int8_t *p = ring;
    int8_t *to = out;
    for (int32_t k = layer->out_w >> 1; k > 0; --k, p += 8, to += step) {
      const int32x4_t sums = four_sums(vldrbq_s8(p), upper, lower, upper_right, lower_right);
      vstrbq_scatter_offset_s32(to, places, to_bytes(sums, &by, limits));
    }
    if ((layer->out_w & 1) != 0) {
      const int32x4_t sums = four_sums(vldrbq_s8(p), upper, lower, upper_right, lower_right);
      vstrbq_scatter_offset_p_s32(to, places, to_bytes(sums, &by, limits), vctp32q(2));
    }
  }
}

/* One output row: four columns of a channel a step. */
ADZE_INLINE void one_row(const adze_conv *layer, const int8_t *ring, int32_t plane, int turn, const adze_output *limits,
                         int second, int8_t *out) {
  const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)layer->out_c);
  for (int32_t channel = 0; channel < layer->out_c; ++channel, ring += plane, ++out) {
    const adze_channel by = layer->channels[channel];
    int8x16_t w = vldrbq_s8(weights_of(layer, channel));
    if (turn) w = turned(w);
    const int8_t *p = ring;
    int8_t *to = out;
    int32_t left = layer->out_w;
    for (; left >= 4; left -= 4, p += second ? 32 : 16, to += 4 * layer->out_c) {
      const int32x4_t sums = second ? four_second_columns(p, w) : four_columns(p, w);
      vstrbq_scatter_offset_s32(to, places, to_bytes(sums, &by, limits));
    }
    if (left > 0) {
      const int32x4_t sums = second ? four_second_columns(p, w) : four_columns(p, w);
      vstrbq_scatter_offset_p_s32(to, places, to_bytes(sums, &by, limits), vctp32q((uint32_t)left));
    }
  }
}

ADZE_APART void two_whole_rows(const adze_conv *layer, const int8_t *ring, int32_t plane, int turn, int8_t *out) {
  two_rows(layer, ring, plane, turn, 0, out);
}
ADZE_APART void two_limited_rows(const adze_conv *layer, const int8_t *ring, int32_t plane, int turn, int8_t *out) {
  two_rows(layer, ring, plane, turn, &layer->out, out);
}
ADZE_APART void one_row_first(const adze_conv *layer, const int8_t *ring, int32_t plane, int turn, int8_t *out) {
  one_row(layer, ring, plane, turn, &layer->out, 0, out);
}
ADZE_APART void one_row_second(const adze_conv *layer, const int8_t *ring, int32_t plane, int turn, int8_t *out) {
  one_row(layer, ring, plane, turn, &layer->out, 1, out);
}
#endif

/* Output rows whose window begins at slot; their number. */
static int32_t some_rows(const adze_conv *layer, const int8_t *ring, int32_t plane, int32_t slot, int32_t left,
                         int8_t *out) {
#if ADZE_MVE
  const int whole = layer->out.min == -128 && layer->out.max == 127;
  if (layer->stride_h == 1 && layer->stride_w == 1 && left > 1) {
    (whole ? two_whole_rows : two_limited_rows)(layer, ring, plane, slot, out);
    return 2;
  }
  (layer->stride_w == 2 ? one_row_second : one_row_first)(layer, ring, plane, slot, out);
#else
  (void)left;
  for (int32_t channel = 0; channel < layer->out_c; ++channel) {
    const int8_t *w = weights_of(layer, channel);
    for (int32_t x = 0; x < layer->out_w; ++x) {
      const int8_t *p = ring + channel * plane + 4 * x * layer->stride_w;
      int32_t sum = 0;
      for (int32_t i = 0; i < 12; ++i) sum += p[(i & ~3) + ((i + slot) & 3)] * w[i];
      sum = (int32_t)((uint32_t)sum + (uint32_t)layer->channels[channel].bias);
      out[x * layer->out_c + channel] = adze_requantize(sum, &layer->channels[channel], &layer->out);
    }
  }
#endif
  return 1;
}

void adze_depthwise_3x3_s8_mve(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *ring = (int8_t *)scratch;
  const int32_t plane = plane_bytes(layer), together = layer->stride_h == 1 ? 4 : 3;
  memset(ring, layer->in_zero_point, (size_t)(plane * layer->in_c));
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    int32_t next = -layer->pad_top; /* first row that is not in the ring */
    for (int32_t y = 0; y < layer->out_h;) {
      const int32_t top = y * layer->stride_h - layer->pad_top, left = layer->out_h - y;
      const int32_t end = top + (left > 1 ? together : 3);
      for (; next < end; ++next) copy_row(layer, in, next, ring, plane);
      const int32_t done = some_rows(layer, ring, plane, (top + layer->pad_top) & 3, left, out);
      out += done * layer->out_w * layer->out_c;
      y += done;
    }
  }
}
