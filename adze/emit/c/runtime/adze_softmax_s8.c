/* Softmax over rows of bytes, and the fixed-point arithmetic it needs (gemmlowp's). */
#include "adze_requantize.h"

static int32_t saturating_shift_left(int32_t x, int32_t by) {
  const int64_t wide = (int64_t)x * ((int64_t)1 << by);
  return wide < INT32_MIN ? INT32_MIN : wide > INT32_MAX ? INT32_MAX : (int32_t)wide;
}

/* exp(a) for a in [-1/4, 0): a Taylor polynomial around -1/8. */
static int32_t exp_near_zero(int32_t a) {
  const int32_t x = a + (1 << 28);
  const int32_t x2 = adze_doubling_high_product(x, x);
  const int32_t x3 = adze_doubling_high_product(x2, x);
  const int32_t x4 = adze_divide_by_power(adze_doubling_high_product(x2, x2), 2);
  const int32_t higher = adze_divide_by_power(adze_doubling_high_product(x4 + x3, 715827883) + x2, 1);
  return 1895147668 + adze_doubling_high_product(1895147668, x + higher);
}

/* exp(a) for a <= 0 with 5 integer bits. */
static int32_t exp_on_negative(int32_t a) {
  static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  if (a == 0) return INT32_MAX;
  const int32_t quarter = 1 << 24;
  const int32_t a_mod_quarter = (a & (quarter - 1)) - quarter;
  int32_t result = exp_near_zero(saturating_shift_left(a_mod_quarter, 5));
  const int32_t remainder = a_mod_quarter - a;
  for (int32_t i = 0; i < 7; ++i) {
    if ((remainder & (1 << (24 + i))) != 0) result = adze_doubling_high_product(result, factors[i]);
  }
  return result;
}

/* 1 / (1 + a) for a in [0, 1): three Newton steps. */
static int32_t one_over_one_plus(int32_t a) {
  const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
  int32_t x = 1515870810 + adze_doubling_high_product(half_denominator, -1010580540);
  for (int step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - adze_doubling_high_product(half_denominator, x);
    x += saturating_shift_left(adze_doubling_high_product(x, error), 2);
  }
  return saturating_shift_left(x, 1);
}

static int32_t exponential(const adze_softmax *layer, int32_t difference) {
  const int32_t shifted = (int32_t)((uint32_t)difference << layer->shift);
  return exp_on_negative(adze_doubling_high_product(shifted, layer->multiplier));
}

static void fixed_row(const adze_softmax *layer, int32_t largest, const int8_t *in, int8_t *out) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < layer->count; ++i) {
    const int32_t difference = in[i * layer->inner] - largest;
    if (difference >= layer->least_difference) {
      sum += (uint32_t)adze_divide_by_power(exponential(layer, difference), 12);
    }
  }
  int32_t headroom = 0;
  while (headroom < 31 && ((sum << headroom) & 0x80000000u) == 0) ++headroom;
  const int32_t reciprocal = one_over_one_plus((int32_t)((sum << headroom) - 0x80000000u));
  int32_t exponent = 12 - headroom + 31 - 8;
  if (exponent < 0) exponent = 0;
  if (exponent > 31) exponent = 31;
  for (int32_t i = 0; i < layer->count; ++i) {
    const int32_t difference = in[i * layer->inner] - largest;
    int32_t y = layer->out.min;
    if (difference >= layer->least_difference) {
      const int32_t product = adze_doubling_high_product(reciprocal, exponential(layer, difference));
      y = adze_clamp(adze_divide_by_power(product, exponent) + layer->out.min, &layer->out);
    }
    out[i * layer->inner] = (int8_t)y;
  }
}

void adze_softmax_s8(const adze_softmax *layer, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < layer->outer * layer->inner; ++row) {
    const int32_t first = row / layer->inner * layer->inner * layer->count + row % layer->inner;
    int32_t largest = INT8_MIN;
    for (int32_t i = 0; i < layer->count; ++i) {
      if (in[first + i * layer->inner] > largest) largest = in[first + i * layer->inner];
    }
    fixed_row(layer, largest, in + first, out + first);
  }
}
