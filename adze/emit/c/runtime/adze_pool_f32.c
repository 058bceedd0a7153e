/* Average and largest of windows of float32. */
#include "adze_float.h"

static void pool(const adze_window_f32 *layer, const float *in, float *out, int largest) {
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t i = 0; i < layer->out_h * layer->out_w * layer->out_c; ++i) {
      const int32_t c = i % layer->out_c, x = i / layer->out_c % layer->out_w, y = i / layer->out_c / layer->out_w;
      float result = 0.0f;
      int32_t count = 0;
      for (int32_t k = 0; k < layer->kernel_h * layer->kernel_w; ++k) {
        const int32_t row = y * layer->stride_h - layer->pad_top + k / layer->kernel_w * layer->dilation_h;
        const int32_t column = x * layer->stride_w - layer->pad_left + k % layer->kernel_w * layer->dilation_w;
        if (row < 0 || row >= layer->in_h || column < 0 || column >= layer->in_w) continue;
        const float value = in[(row * layer->in_w + column) * layer->in_c + c];
        result = !largest ? result + value : count == 0 || value > result ? value : result;
        ++count;
      }
      if (layer->count_padding) count = layer->kernel_h * layer->kernel_w;
      *out++ = largest || count == 0 ? result : result / (float)count;
    }
  }
}

void adze_average_pool_f32(const adze_window_f32 *layer, const float *in, float *out) { pool(layer, in, out, 0); }
void adze_max_pool_f32(const adze_window_f32 *layer, const float *in, float *out) { pool(layer, in, out, 1); }
