/* Fully connected layer for cores with 16-bit multiply-accumulate pairs: four channels a pass. */
#include "adze_requantize.h"

/* Bytes as pairs of halves (0, 2), (1, 3); zeros up to stored. */
static void expand(const int8_t *from, int32_t count, int32_t stored, uint32_t *to) {
  int32_t i = 0;
  for (; i + 4 <= count; i += 4, to += 2) {
    const uint32_t word = adze_load4(from + i);
    to[0] = adze_even_bytes(word);
    to[1] = adze_odd_bytes(word);
  }
  for (; i < stored; i += 4, to += 2) {
    int8_t rest[4] = {0, 0, 0, 0};
    for (int32_t k = i; k < count; ++k) rest[k - i] = from[k];
    const uint32_t word = adze_load4(rest);
    to[0] = adze_even_bytes(word);
    to[1] = adze_odd_bytes(word);
  }
}

/* depth is a multiple of 8; u follows w by the words of one pair of channels. */
#if ADZE_DSP && defined(__OPTIMIZE__)
#define STEP                              \
  "ldrd %[w0], %[w1], [%[w]], #8\n\t"     \
  "ldrd %[x0], %[x1], [%[x]], #8\n\t"     \
  "ldrd %[u0], %[u1], [%[u]], #8\n\t"     \
  "sxtb16 %[t], %[w0]\n\t"                \
  "sxtb16 %[w0], %[w0], ror #8\n\t"       \
  "smlad %[a], %[t], %[x0], %[a]\n\t"     \
  "smlad %[b], %[w0], %[x0], %[b]\n\t"    \
  "sxtb16 %[t], %[w1]\n\t"                \
  "sxtb16 %[w1], %[w1], ror #8\n\t"       \
  "smlad %[a], %[t], %[x1], %[a]\n\t"     \
  "smlad %[b], %[w1], %[x1], %[b]\n\t"    \
  "sxtb16 %[t], %[u0]\n\t"                \
  "sxtb16 %[u0], %[u0], ror #8\n\t"       \
  "smlad %[c], %[t], %[x0], %[c]\n\t"     \
  "smlad %[d], %[u0], %[x0], %[d]\n\t"    \
  "sxtb16 %[t], %[u1]\n\t"                \
  "sxtb16 %[u1], %[u1], ror #8\n\t"       \
  "smlad %[c], %[t], %[x1], %[c]\n\t"     \
  "smlad %[d], %[u1], %[x1], %[d]\n\t"
#define MULTIPLY()                                                                                       \
  do {                                                                                                   \
    uint32_t w0, w1, u0, u1, x0, x1, t;                                                                  \
    __asm__ volatile("1:\n\t" STEP STEP                                                                  \
                     "ldr %[t], %[end]\n\t"                                                              \
                     "cmp %[w], %[t]\n\t"                                                                \
                     "bne 1b\n\t"                                                                        \
                     : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [w] "+r"(w), [u] "+r"(u),     \
                       [x] "+r"(x), [w0] "=&r"(w0), [w1] "=&r"(w1), [u0] "=&r"(u0), [u1] "=&r"(u1),      \
                       [x0] "=&r"(x0), [x1] "=&r"(x1), [t] "=&r"(t)                                      \
                     : [end] "m"(end)                                                                    \
                     : "cc", "memory");                                                                  \
  } while (0)
#else
#define MULTIPLY()                                                                                \
  do {                                                                                            \
    for (; w != end; ++w, ++u, ++x) {                                                             \
      a = adze_dot2(adze_even_bytes(*w), *x, a), b = adze_dot2(adze_odd_bytes(*w), *x, b);        \
      c = adze_dot2(adze_even_bytes(*u), *x, c), d = adze_dot2(adze_odd_bytes(*u), *x, d);        \
    }                                                                                             \
  } while (0)
#endif

void adze_gemm_s8_dsp(const adze_gemm *layer, const int8_t *in, int8_t *out, void *scratch) {
  const int32_t words = layer->stored_depth >> 1, columns = layer->columns;
  for (int32_t row = 0; row < layer->rows; ++row, in += layer->depth, out += columns) {
    const uint32_t *w = (const uint32_t *)layer->weights;
    const adze_channel *by = layer->channels;
    expand(in, layer->depth, layer->stored_depth, (uint32_t *)scratch);
    for (int32_t column = 0; column < columns; column += 4, by += 4) {
      const int32_t left = columns - column; /* the table has an even number of channels */
      const uint32_t *x = (const uint32_t *)scratch, *const end = w + words, *u = left > 2 ? end : w;
      int32_t a = by[0].bias, b = by[1].bias, c = left > 2 ? by[2].bias : 0, d = left > 2 ? by[3].bias : 0;
      MULTIPLY();
      w = u;
      out[column] = adze_requantize(a, &by[0], &layer->out);
      if (left > 1) out[column + 1] = adze_requantize(b, &by[1], &layer->out);
      if (left > 2) out[column + 2] = adze_requantize(c, &by[2], &layer->out);
      if (left > 3) out[column + 3] = adze_requantize(d, &by[3], &layer->out);
    }
  }
}
