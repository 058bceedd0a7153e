/* Movement: transposes, slices, concatenation, padding. */
#include <string.h>

#include "adze_runtime.h"

void adze_copy_strided(const adze_copy *layer, const void *in, void *out) {
  const unsigned char *from = (const unsigned char *)in;
  unsigned char *to = (unsigned char *)out;
  const int32_t *d = layer->dims, *s = layer->in_strides, *t = layer->out_strides;
  const int contiguous = s[5] == 1 && t[5] == 1;
  for (int32_t a = 0; a < d[0]; ++a)
    for (int32_t b = 0; b < d[1]; ++b)
      for (int32_t c = 0; c < d[2]; ++c)
        for (int32_t e = 0; e < d[3]; ++e)
          for (int32_t f = 0; f < d[4]; ++f) {
            const unsigned char *x =
                from + (a * s[0] + b * s[1] + c * s[2] + e * s[3] + f * s[4]) * layer->bytes;
            unsigned char *y = to + (a * t[0] + b * t[1] + c * t[2] + e * t[3] + f * t[4]) * layer->bytes;
            if (contiguous) {
              memcpy(y, x, (size_t)(d[5] * layer->bytes));
            } else {
              for (int32_t i = 0; i < d[5]; ++i) {
                memcpy(y + i * t[5] * layer->bytes, x + i * s[5] * layer->bytes, (size_t)layer->bytes);
              }
            }
          }
}

void adze_fill(void *out, int value, int32_t bytes) { memset(out, value, (size_t)bytes); }
