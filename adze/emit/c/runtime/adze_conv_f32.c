/* Convolution and fully connected layers on float32. */
#include "adze_float.h"

static float one(const adze_window_f32 *layer, const float *in, int32_t y, int32_t x, int32_t filter) {
  const int32_t channels = layer->in_c / layer->groups, group = filter / (layer->out_c / layer->groups);
  const float *w = layer->weights + filter * layer->kernel_h * layer->kernel_w * channels;
  float sum = layer->biases != 0 ? layer->biases[filter] : 0.0f;
  for (int32_t kh = 0; kh < layer->kernel_h; ++kh) {
    const int32_t row = y * layer->stride_h - layer->pad_top + kh * layer->dilation_h;
    for (int32_t kw = 0; kw < layer->kernel_w; ++kw, w += channels) {
      const int32_t column = x * layer->stride_w - layer->pad_left + kw * layer->dilation_w;
      if (row < 0 || row >= layer->in_h || column < 0 || column >= layer->in_w) continue;
      const float *from = in + (row * layer->in_w + column) * layer->in_c + group * channels;
      for (int32_t c = 0; c < channels; ++c) sum += from[c] * w[c];
    }
  }
  return sum;
}

void adze_conv_f32(const adze_window_f32 *layer, const float *in, float *out) {
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x) {
        for (int32_t filter = 0; filter < layer->out_c; ++filter) *out++ = one(layer, in, y, x, filter);
      }
    }
  }
}

void adze_gemm_f32(int32_t rows, int32_t columns, int32_t depth, const float *weights, const float *biases,
                   const float *in, float *out) {
  for (int32_t row = 0; row < rows; ++row, in += depth) {
    const float *w = weights;
    for (int32_t column = 0; column < columns; ++column, w += depth) {
      float sum = biases != 0 ? biases[column] : 0.0f;
      for (int32_t k = 0; k < depth; ++k) sum += in[k] * w[k];
      *out++ = sum;
    }
  }
}
