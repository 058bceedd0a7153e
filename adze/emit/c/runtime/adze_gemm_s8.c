/* Fully connected layer, weights as rows of bytes. */
#include "adze_requantize.h"

void adze_gemm_s8(const adze_gemm *layer, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < layer->rows; ++row, in += layer->depth) {
    const int8_t *weights = (const int8_t *)layer->weights;
    for (int32_t column = 0; column < layer->columns; ++column, weights += layer->stored_depth) {
      int32_t sum = layer->channels[column].bias;
      for (int32_t k = 0; k < layer->depth; ++k) sum = (int32_t)((uint32_t)sum + (uint32_t)(in[k] * weights[k]));
      *out++ = adze_requantize(sum, &layer->channels[column], &layer->out);
    }
  }
}
