/* Other scales, between 8 bits, 16 bits and floats; and tables of 16-bit numbers. */
#include "adze_s16.h"

void adze_rescale_s16(const adze_rescale *layer, const int16_t *in, int16_t *out) {
  for (int32_t i = 0; i < layer->count; ++i) out[i] = adze_finish_s16(in[i], &layer->by, &layer->out);
}

void adze_rescale_s8_s16(const adze_rescale *layer, const int8_t *in, int16_t *out) {
  for (int32_t i = 0; i < layer->count; ++i) {
    out[i] = adze_finish_s16(in[i] - layer->in_zero_point, &layer->by, &layer->out);
  }
}

void adze_rescale_s16_s8(const adze_rescale *layer, const int16_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->count; ++i) out[i] = adze_requantize(in[i], &layer->by, &layer->out);
}

void adze_quantize_s16(int32_t count, float scale, const float *in, int16_t *out) {
  const adze_output limits = {ADZE_FLOAT, 0, INT16_MIN, INT16_MAX};
  for (int32_t i = 0; i < count; ++i) out[i] = adze_quantize_real_s16(in[i], scale, &limits);
}

void adze_dequantize_s16(int32_t count, float scale, const int16_t *in, float *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = (float)in[i] * scale;
}

void adze_table_s16(const int16_t *table, int32_t count, const int16_t *in, int16_t *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = (int16_t)adze_interpolate(table, in[i]);
}
