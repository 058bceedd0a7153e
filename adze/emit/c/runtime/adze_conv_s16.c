/* Convolution of 16-bit activations, weights as rows of bytes. */
#include "adze_patch_s16.h"

static int32_t dot(const int16_t *a, const int8_t *b, int32_t count, int32_t sum) {
  for (int32_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

static int64_t wide_dot(const int16_t *a, const int8_t *b, int32_t count, int64_t sum) {
  for (int32_t i = 0; i < count; ++i) sum += (int32_t)a[i] * b[i];
  return sum;
}

static void pixel(const adze_conv *layer, int32_t group, int32_t products, const int16_t *patch, int16_t *out) {
  const int32_t filters = layer->out_c / layer->groups;
  const int8_t *weights = (const int8_t *)layer->weights + group * filters * layer->depth;
  const adze_channel *by = layer->channels + group * filters;
  for (int32_t m = 0; m < filters; ++m, ++by, weights += layer->depth) {
    out[m] = layer->out.kind == ADZE_FAST
                 ? adze_finish_s16(dot(patch, weights, products, by->bias), by, &layer->out)
                 : adze_finish_wide_s16(wide_dot(patch, weights, products, adze_wide_bias(by)), by, &layer->out);
  }
}

void adze_conv_s16(const adze_conv *layer, const int16_t *in, int16_t *out, void *scratch) {
  const adze_conv bytes = adze_in_bytes(layer);
  int16_t *patch = (int16_t *)scratch;
  const int32_t channels = layer->in_c / layer->groups, filters = layer->out_c / layer->groups;
  const int32_t products = layer->kernel_h * layer->kernel_w * channels;
  const int direct = adze_is_pointwise(layer);
  for (int32_t n = 0; n < layer->batch; ++n, in += layer->in_h * layer->in_w * layer->in_c) {
    for (int32_t p = 0; p < layer->out_h * layer->out_w; ++p, out += layer->out_c) {
      if (direct) {
        pixel(layer, 0, products, adze_pixel_s16(&bytes, 1, in, p, patch), out);
        continue;
      }
      for (int32_t group = 0; group < layer->groups; ++group) {
        adze_gather(&bytes, (const int8_t *)(const void *)in, p / layer->out_w, p % layer->out_w, 2 * group * channels,
                    2 * channels, (int8_t *)(void *)patch);
        pixel(layer, group, products, patch, out + group * filters);
      }
    }
  }
}
