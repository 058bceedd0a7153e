/* The product of two 16-bit activations. */
#include "adze_s16.h"

void adze_matmul_s16(const adze_matmul *layer, const int16_t *a, const int16_t *b, int16_t *out) {
  for (int32_t n = 0; n < layer->batch; ++n, a += layer->a_batch_stride, b += layer->b_batch_stride) {
    for (int32_t i = 0; i < layer->rows; ++i) {
      for (int32_t j = 0; j < layer->columns; ++j) {
        int64_t sum = 0;
        for (int32_t k = 0; k < layer->depth; ++k) {
          sum += (int32_t)a[i * layer->depth + k] * b[k * layer->columns + j];
        }
        *out++ = adze_finish_wide_s16(sum, &layer->by, &layer->out);
      }
    }
  }
}
