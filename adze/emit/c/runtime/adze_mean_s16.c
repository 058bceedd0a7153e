/* Means of 16-bit numbers over a dimension. */
#include "adze_s16.h"

void adze_mean_s16(const adze_mean *layer, const int16_t *in, int16_t *out) {
  for (int32_t i = 0; i < layer->outer; ++i, in += layer->count * layer->columns) {
    for (int32_t c = 0; c < layer->columns; ++c) {
      int32_t sum = 0;
      for (int32_t k = 0; k < layer->count; ++k) sum += in[k * layer->columns + c];
      *out++ = layer->out.kind == ADZE_FLOAT
                   ? adze_quantize_real_s16((float)sum * layer->in_scale / (float)layer->count, layer->out_scale,
                                            &layer->out)
                   : adze_finish_s16(sum, &layer->by, &layer->out);
    }
  }
}
