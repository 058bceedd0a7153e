/* Nearest-neighbour resize. */
#include <string.h>

#include "adze_runtime.h"

void adze_resize_nearest(const adze_resize *layer, const void *in, void *out) {
  const unsigned char *from = (const unsigned char *)in;
  unsigned char *to = (unsigned char *)out;
  for (int32_t n = 0; n < layer->batch; ++n, from += layer->in_h * layer->in_w * layer->pixel_bytes) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x, to += layer->pixel_bytes) {
        const int32_t pixel = layer->rows[y] * layer->in_w + layer->columns[x];
        memcpy(to, from + pixel * layer->pixel_bytes, (size_t)layer->pixel_bytes);
      }
    }
  }
}
