/* Layers whose weights are stored in fewer bits, or without their zeros: four filters are decoded at a time. */
#include "adze_intrinsics.h"
#include "adze_small.h"

typedef struct {
  const uint8_t* bytes;
  uint32_t held; /* bits read from bytes and not given out yet */
  int32_t count; /* how many */
} stream;

static uint32_t take(stream* from, int32_t bits) {
  if (from->count < bits) {
    from->held |= (uint32_t)*from->bytes++ << from->count;
    from->count += 8;
  }
  const uint32_t code = from->held & ((UINT32_C(1) << bits) - 1u);
  from->held >>= bits;
  from->count -= bits;
  return code;
}

void adze_codes_s8(const adze_small *layer, const int8_t *values, const int8_t *in, int8_t *out, int8_t *patch,
                   int8_t *rows) {
  const int32_t depth = layer->kernel_h * layer->kernel_w * (layer->in_c / layer->groups);
  stream from = {(const uint8_t *)layer->weights, 0, 0};
  for (int32_t m = 0; m < layer->out_c; m += 4) {
    const int32_t count = layer->out_c - m < 4 ? layer->out_c - m : 4;
    for (int32_t k = 0; k < count * depth; ++k) {
      if (layer->sparse != 0 && take(&from, 1) == 0) {
        rows[k] = 0;
        continue;
      }
      const uint32_t code = layer->bits == 0 ? 0u : take(&from, layer->bits);
      rows[k] = layer->bits == 8 ? (int8_t)(uint8_t)code : values[code];
    }
    adze_small_filters(layer, m, count, rows, in, out, patch);
  }
}
