/* Sums, differences and products of two tensors of 16 bits. */
#include "adze_s16.h"

/* Calls for each element of the result, row-major. */
#define FOR_EACH(statement)                                                                      \
  for (int32_t i0 = 0; i0 < layer->dims[0]; ++i0) {                                              \
    for (int32_t i1 = 0; i1 < layer->dims[1]; ++i1) {                                            \
      for (int32_t i2 = 0; i2 < layer->dims[2]; ++i2) {                                          \
        const int16_t *x = a + i0 * layer->a_strides[0] + i1 * layer->a_strides[1] + i2 * layer->a_strides[2]; \
        const int16_t *y = b + i0 * layer->b_strides[0] + i1 * layer->b_strides[1] + i2 * layer->b_strides[2]; \
        for (int32_t i3 = 0; i3 < layer->dims[3]; ++i3) {                                        \
          statement;                                                                             \
          x += layer->a_strides[3];                                                              \
          y += layer->b_strides[3];                                                              \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
  }

static int32_t scaled(int32_t x, const adze_channel *by, int32_t kind) {
  const int32_t wide = x * (1 << 15);
  return kind == ADZE_ONCE ? adze_multiply_once(wide, by->multiplier, by->shift)
                           : adze_multiply_twice(wide, by->multiplier, by->shift);
}

static int16_t sum(const adze_binary *layer, int32_t x, int32_t y) {
  if (layer->out.kind == ADZE_FLOAT) {
    const float left = (float)x * layer->a_scale, right = (float)y * layer->b_scale;
    return adze_quantize_real_s16(layer->subtract ? left - right : left + right, layer->y_scale, &layer->out);
  }
  const int32_t left = scaled(x, &layer->a_by, layer->out.kind), right = scaled(y, &layer->b_by, layer->out.kind);
  return adze_finish_s16(layer->subtract ? left - right : left + right, &layer->y_by, &layer->out);
}

static int16_t product(const adze_binary *layer, int32_t x, int32_t y) {
  if (layer->out.kind == ADZE_FLOAT) {
    const float left = (float)x * layer->a_scale, right = (float)y * layer->b_scale;
    return adze_quantize_real_s16(left * right, layer->y_scale, &layer->out);
  }
  return adze_finish_s16(x * y, &layer->y_by, &layer->out);
}

/* x * multiplier * 2^-31 and a shift to the right, rounded twice; |x| at most 2^30. */
ADZE_INLINE int32_t twice(int32_t x, int32_t multiplier, int32_t right) {
  const uint64_t product = (uint64_t)((int64_t)x * multiplier) + 0x40000000u;
  return adze_divide_by_power((int32_t)(uint32_t)(product >> 31), right);
}

/* Rows without strides, rounded twice, all shifts to the right. */
static void add_rows(const adze_binary *layer, const int16_t *a, const int16_t *b, int16_t *out) {
  const int32_t a_by = layer->a_by.multiplier, b_by = layer->b_by.multiplier, y_by = layer->y_by.multiplier;
  const int32_t a_right = -layer->a_by.shift, b_right = -layer->b_by.shift, y_right = -layer->y_by.shift;
  const int32_t sign = layer->subtract ? -1 : 1;
  for (int32_t i = 0; i < layer->dims[3]; ++i) {
    const int32_t left = twice(a[i] * (1 << 15), a_by, a_right), right = twice(b[i] * (1 << 15), b_by, b_right);
    out[i] = (int16_t)adze_clamp(twice(left + sign * right, y_by, y_right), &layer->out);
  }
}

void adze_add_s16(const adze_binary *layer, const int16_t *a, const int16_t *b, int16_t *out) {
  const int rows = layer->dims[0] == 1 && layer->dims[1] == 1 && layer->dims[2] == 1 && layer->a_strides[3] == 1 &&
                   layer->b_strides[3] == 1;
  const int rights = layer->a_by.shift <= 0 && layer->b_by.shift <= 0 && layer->y_by.shift <= 0;
  if (rows && rights && layer->out.kind == ADZE_TWICE) {
    add_rows(layer, a, b, out);
    return;
  }
  FOR_EACH(*out++ = sum(layer, *x, *y))
}

void adze_mul_s16(const adze_binary *layer, const int16_t *a, const int16_t *b, int16_t *out) {
  FOR_EACH(*out++ = product(layer, *x, *y))
}
