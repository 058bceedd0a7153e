/* Another scale and zero point. */
#include "adze_requantize.h"

void adze_rescale_s8(const adze_rescale *layer, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->count; ++i) {
    out[i] = adze_requantize(in[i] - layer->in_zero_point, &layer->by, &layer->out);
  }
}
