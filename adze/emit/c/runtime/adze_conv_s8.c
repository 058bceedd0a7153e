/* Convolution, weights as rows of bytes. */
#include "adze_patch.h"
#include "adze_requantize.h"

static int32_t dot(const int8_t *a, const int8_t *b, int32_t count, int32_t sum) {
  for (int32_t i = 0; i < count; ++i) sum = (int32_t)((uint32_t)sum + (uint32_t)(a[i] * b[i]));
  return sum;
}

static void pixel(const adze_conv *layer, int32_t group, int32_t products, const int8_t *patch, int8_t *out) {
  const int32_t filters = layer->out_c / layer->groups;
  const int8_t *weights = (const int8_t *)layer->weights + group * filters * layer->depth;
  const adze_channel *channels = layer->channels + group * filters;
  for (int32_t m = 0; m < filters; ++m, weights += layer->depth) {
    out[m] = adze_requantize(dot(patch, weights, products, channels[m].bias), &channels[m], &layer->out);
  }
}

void adze_conv_s8(const adze_conv *layer, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *patch = (int8_t *)scratch;
  const int32_t channels = layer->in_c / layer->groups, filters = layer->out_c / layer->groups;
  const int32_t products = layer->kernel_h * layer->kernel_w * channels;
  const int pointwise = adze_is_pointwise(layer);
  for (int32_t n = 0; n < layer->batch; ++n) {
    for (int32_t y = 0; y < layer->out_h; ++y) {
      for (int32_t x = 0; x < layer->out_w; ++x, out += layer->out_c) {
        for (int32_t group = 0; group < layer->groups; ++group) {
          const int8_t *from = in + (y * layer->stride_h * layer->in_w + x * layer->stride_w) * layer->in_c;
          if (!pointwise) {
            adze_gather(layer, in, y, x, group * channels, channels, patch);
            from = patch;
          }
          pixel(layer, group, products, from, out + group * filters);
        }
      }
    }
    in += layer->in_h * layer->in_w * layer->in_c;
  }
}
