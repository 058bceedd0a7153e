/* Means over a dimension. */
#include "adze_requantize.h"

void adze_mean_s8(const adze_mean *layer, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->outer; ++i, in += layer->count * layer->columns) {
    for (int32_t c = 0; c < layer->columns; ++c) {
      int32_t sum = -layer->count * layer->in_zero_point;
      for (int32_t k = 0; k < layer->count; ++k) sum += in[k * layer->columns + c];
      if (layer->out.kind == ADZE_FLOAT) {
        *out++ = adze_quantize_real((float)sum * layer->in_scale / (float)layer->count, layer->out_scale, &layer->out);
      } else {
        *out++ = adze_requantize(sum, &layer->by, &layer->out);
      }
    }
  }
}
