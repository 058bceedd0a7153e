/* Between float and int8. */
#include "adze_requantize.h"

void adze_quantize_s8(int32_t count, float scale, int32_t zero_point, const float *in, int8_t *out) {
  const adze_output limits = {ADZE_FLOAT, zero_point, -128, 127};
  for (int32_t i = 0; i < count; ++i) out[i] = adze_quantize_real(in[i], scale, &limits);
}

void adze_dequantize_s8(int32_t count, float scale, int32_t zero_point, const int8_t *in, float *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = (float)(in[i] - zero_point) * scale;
}
