/* Sums, differences and products of two tensors. */
#include "adze_requantize.h"

/* Calls for each element of the result, row-major. */
#define FOR_EACH(statement)                                                                      \
  for (int32_t i0 = 0; i0 < layer->dims[0]; ++i0) {                                              \
    for (int32_t i1 = 0; i1 < layer->dims[1]; ++i1) {                                            \
      for (int32_t i2 = 0; i2 < layer->dims[2]; ++i2) {                                          \
        const int8_t *x = a + i0 * layer->a_strides[0] + i1 * layer->a_strides[1] + i2 * layer->a_strides[2]; \
        const int8_t *y = b + i0 * layer->b_strides[0] + i1 * layer->b_strides[1] + i2 * layer->b_strides[2]; \
        for (int32_t i3 = 0; i3 < layer->dims[3]; ++i3) {                                        \
          statement;                                                                             \
          x += layer->a_strides[3];                                                              \
          y += layer->b_strides[3];                                                              \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
  }

static int32_t scaled(int32_t x, const adze_channel *by, int32_t kind) {
  const int32_t wide = x * (1 << 20);
  return kind == ADZE_ONCE ? adze_multiply_once(wide, by->multiplier, by->shift)
                           : adze_multiply_twice(wide, by->multiplier, by->shift);
}

static int8_t sum(const adze_binary *layer, int32_t x, int32_t y) {
  x -= layer->a_zero_point;
  y -= layer->b_zero_point;
  if (layer->out.kind == ADZE_FLOAT) {
    const float left = (float)x * layer->a_scale, right = (float)y * layer->b_scale;
    return adze_quantize_real(layer->subtract ? left - right : left + right, layer->y_scale, &layer->out);
  }
  const int32_t left = scaled(x, &layer->a_by, layer->out.kind), right = scaled(y, &layer->b_by, layer->out.kind);
  return adze_requantize(layer->subtract ? left - right : left + right, &layer->y_by, &layer->out);
}

static int8_t product(const adze_binary *layer, int32_t x, int32_t y) {
  x -= layer->a_zero_point;
  y -= layer->b_zero_point;
  if (layer->out.kind == ADZE_FLOAT) {
    const float left = (float)x * layer->a_scale, right = (float)y * layer->b_scale;
    return adze_quantize_real(left * right, layer->y_scale, &layer->out);
  }
  return adze_requantize(x * y, &layer->y_by, &layer->out);
}

void adze_add_s8(const adze_binary *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  FOR_EACH(*out++ = sum(layer, *x, *y))
}

void adze_mul_s8(const adze_binary *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  FOR_EACH(*out++ = product(layer, *x, *y))
}
