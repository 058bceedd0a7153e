/* Elementwise layers, softmax and means on float32. */
#include <math.h>

#include "adze_float.h"

void adze_clamp_f32(int32_t count, float low, float high, const float *in, float *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = in[i] < low ? low : in[i] > high ? high : in[i];
}

void adze_sigmoid_f32(int32_t count, const float *in, float *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = 1.0f / (1.0f + expf(-in[i]));
}

void adze_tanh_f32(int32_t count, const float *in, float *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = tanhf(in[i]);
}

void adze_softmax_f32(int32_t outer, int32_t count, int32_t inner, const float *in, float *out) {
  for (int32_t row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    float largest = in[first], sum = 0.0f;
    for (int32_t i = 1; i < count; ++i) largest = in[first + i * inner] > largest ? in[first + i * inner] : largest;
    for (int32_t i = 0; i < count; ++i) {
      out[first + i * inner] = expf(in[first + i * inner] - largest);
      sum += out[first + i * inner];
    }
    for (int32_t i = 0; i < count; ++i) out[first + i * inner] /= sum;
  }
}

void adze_mean_f32(int32_t outer, int32_t count, int32_t inner, const float *in, float *out) {
  for (int32_t row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    float sum = 0.0f;
    for (int32_t i = 0; i < count; ++i) sum += in[first + i * inner];
    out[row] = sum / (float)count;
  }
}

#define BINARY(name, operator)                                                                                   \
  void name(const adze_binary_f32 *layer, const float *a, const float *b, float *out) {                          \
    const int32_t *d = layer->dims, *s = layer->a_strides, *t = layer->b_strides;                                \
    for (int32_t i = 0; i < d[0]; ++i) {                                                                         \
      for (int32_t j = 0; j < d[1]; ++j) {                                                                       \
        for (int32_t k = 0; k < d[2]; ++k) {                                                                     \
          const float *x = a + i * s[0] + j * s[1] + k * s[2], *y = b + i * t[0] + j * t[1] + k * t[2];          \
          for (int32_t l = 0; l < d[3]; ++l) *out++ = x[l * s[3]] operator y[l * t[3]];                          \
        }                                                                                                        \
      }                                                                                                          \
    }                                                                                                            \
  }

BINARY(adze_add_f32, +)
BINARY(adze_sub_f32, -)
BINARY(adze_mul_f32, *)
BINARY(adze_div_f32, /)
