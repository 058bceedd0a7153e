/* What pools of any width share. */
#ifndef ADZE_POOL_H
#define ADZE_POOL_H

#include "adze_requantize.h"

/* Positions first, first + dilation, ... of count that lie in [low, high): how many. */
ADZE_INLINE int32_t adze_count_inside(int32_t first, int32_t count, int32_t dilation, int32_t low, int32_t high) {
  int32_t number = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t at = first + i * dilation;
    if (at >= low && at < high) ++number;
  }
  return number;
}

/* How many taps of a window lie in the picture or its padding. */
ADZE_INLINE int32_t adze_padded_taps(const adze_pool* layer, int32_t top, int32_t left) {
  return adze_count_inside(top, layer->kernel_h, layer->dilation_h, -layer->pad_top, layer->in_h + layer->pad_bottom) *
         adze_count_inside(left, layer->kernel_w, layer->dilation_w, -layer->pad_left, layer->in_w + layer->pad_right);
}

/* by / count: the division joins the multiplier, with as many bits as there is room for. By long division: one of 64
   bits would bring in a library function. */
ADZE_INLINE adze_channel adze_divided_by(const adze_channel* by, int32_t count) {
  int32_t shift = 0;
  while (shift < 31 && (count >> (shift + 1)) != 0) ++shift;
  if (shift > 31 + by->shift) shift = 31 + by->shift;
  uint32_t quotient = (uint32_t)by->multiplier / (uint32_t)count, rest = (uint32_t)by->multiplier % (uint32_t)count;
  for (int32_t i = shift; i > 0; --i) {
    quotient <<= 1;
    rest <<= 1;
    if (rest >= (uint32_t)count) {
      rest -= (uint32_t)count;
      ++quotient;
    }
  }
  const adze_channel result = {0, (int32_t)quotient, 0, by->shift - shift};
  return result;
}

#endif
