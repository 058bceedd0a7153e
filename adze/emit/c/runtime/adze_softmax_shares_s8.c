/* Softmax over rows of bytes as shares of tabulated exponentials, in double precision. */
#include "adze_requantize.h"

/* A double rounded half to even; |value| is far below 2^51. */
static double whole(double value) {
  volatile double shifted = value + 6755399441055744.0;
  return shifted - 6755399441055744.0;
}

static void shared_row(const adze_softmax *layer, int32_t largest, const int8_t *in, int8_t *out) {
  uint64_t sum = 0;
  for (int32_t i = 0; i < layer->count; ++i) sum += layer->exponentials[largest - in[i * layer->inner]];
  for (int32_t i = 0; i < layer->count; ++i) {
    const double share = (double)layer->exponentials[largest - in[i * layer->inner]] / (double)sum;
    const double y = whole(share / (double)layer->out_scale) + layer->out.zero_point;
    out[i * layer->inner] =
        (int8_t)(y < layer->out.min ? layer->out.min : y > layer->out.max ? layer->out.max : (int32_t)y);
  }
}

void adze_softmax_shares_s8(const adze_softmax *layer, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < layer->outer * layer->inner; ++row) {
    const int32_t first = row / layer->inner * layer->inner * layer->count + row % layer->inner;
    int32_t largest = INT8_MIN;
    for (int32_t i = 0; i < layer->count; ++i) {
      if (in[first + i * layer->inner] > largest) largest = in[first + i * layer->inner];
    }
    shared_row(layer, largest, in + first, out + first);
  }
}
