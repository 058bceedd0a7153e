/* The product of two activations. */
#include "adze_requantize.h"

void adze_matmul_s8(const adze_matmul *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  for (int32_t n = 0; n < layer->batch; ++n, a += layer->a_batch_stride, b += layer->b_batch_stride) {
    for (int32_t i = 0; i < layer->rows; ++i) {
      for (int32_t j = 0; j < layer->columns; ++j) {
        uint32_t sum = 0;
        for (int32_t k = 0; k < layer->depth; ++k) {
          const int32_t left = a[i * layer->depth + k] - layer->a_zero_point;
          sum += (uint32_t)(left * (b[k * layer->columns + j] - layer->b_zero_point));
        }
        *out++ = adze_requantize((int32_t)sum, &layer->by, &layer->out);
      }
    }
  }
}
