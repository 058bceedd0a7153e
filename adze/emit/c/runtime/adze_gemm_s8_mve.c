/* Fully connected layer for cores with vectors. */
#include "adze_rows_mve.h"

void adze_gemm_s8_mve(const adze_gemm *layer, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < layer->rows; ++row, in += layer->depth, out += layer->columns) {
    int32_t column = 0;
#if ADZE_MVE
    const int32x4_t low = vdupq_n_s32(layer->out.min), high = vdupq_n_s32(layer->out.max);
    const int8_t *w = (const int8_t *)layer->weights;
    for (; layer->out.kind == ADZE_FAST && column + 4 <= layer->columns; column += 4, w += 4 * layer->stored_depth) {
      const adze_four by = adze_load_four(layer->channels + column);
      const int32x4_t sum = vaddq_s32(adze_one_row(w, layer->stored_depth >> 4, in), by.bias);
      vstrbq_s32(out + column, adze_fast_four(sum, &by, low, high));
    }
    if (layer->out.kind == ADZE_FAST && column < layer->columns) { /* what is less than four channels; their weights are padded */
      int32_t sums[4];
      vstrwq_s32(sums, adze_one_row(w, layer->stored_depth >> 4, in));
      for (int32_t i = 0; column < layer->columns; ++i, ++column) {
        const int32_t sum = (int32_t)((uint32_t)sums[i] + (uint32_t)layer->channels[column].bias);
        out[column] = adze_requantize(sum, &layer->channels[column], &layer->out);
      }
    }
#endif
    for (; column < layer->columns; ++column) {
      uint32_t sum = (uint32_t)layer->channels[column].bias;
      for (int32_t k = 0; k < layer->depth; ++k) {
        sum += (uint32_t)(in[k] * adze_mve_weight((const int8_t *)layer->weights, layer->stored_depth, column, k));
      }
      out[column] = adze_requantize((int32_t)sum, &layer->channels[column], &layer->out);
    }
  }
}
