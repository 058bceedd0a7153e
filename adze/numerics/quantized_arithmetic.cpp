#include "adze/numerics/quantized_arithmetic.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace adze {

DynamicU8 dynamic_u8(float low, float high) {
  float scale = (high - low) / 255.0f;
  if (!(scale > 0.0f)) scale = 1.0f;
  const float zero_point = std::nearbyintf(-low / scale);  // no number where the range is infinite
  return {scale, static_cast<std::uint8_t>(zero_point > 0.0f ? std::min(zero_point, 255.0f) : 0.0f)};
}

namespace {

std::int32_t quantize_real(float real, const Affine& y) {
  const std::int32_t offset = round_half_even(real / y.scale, y.min - y.zero_point, y.max - y.zero_point);
  return offset + y.zero_point;
}

float real_of(std::int32_t q, const Affine& x) {
  return static_cast<float>(q - x.zero_point) * x.scale;
}

}  // namespace

QuantizedAdd::QuantizedAdd(RoundingProfile profile, const Affine& a, const Affine& b, const Affine& y, bool subtract,
                           int fraction_bits)
    : profile_(profile), a_(a), b_(b), y_(y), subtract_(subtract), unit_(1 << fraction_bits) {
  const double common = 2.0 * static_cast<double>(std::max(a.scale, b.scale));
  by_a_ = make_requantize(profile, static_cast<double>(a.scale) / common);
  by_b_ = make_requantize(profile, static_cast<double>(b.scale) / common);
  by_y_ = make_requantize(profile, common / (unit_ * static_cast<double>(y.scale)));
}

std::int32_t QuantizedAdd::operator()(std::int32_t a, std::int32_t b) const {
  if (profile_ == RoundingProfile::Onnx) {
    const float right = real_of(b, b_);
    return quantize_real(subtract_ ? real_of(a, a_) - right : real_of(a, a_) + right, y_);
  }
  const std::int32_t left = requantize((a - a_.zero_point) * unit_, by_a_);  // below 2^29
  const std::int32_t right = requantize((b - b_.zero_point) * unit_, by_b_);
  return requantize_to(subtract_ ? left - right : left + right, by_y_, y_);
}

QuantizedMul::QuantizedMul(RoundingProfile profile, const Affine& a, const Affine& b, const Affine& y)
    : profile_(profile), a_(a), b_(b), y_(y), by_(make_product_requantize(profile, a.scale, b.scale, y.scale)) {}

std::int32_t QuantizedMul::operator()(std::int32_t a, std::int32_t b) const {
  if (profile_ == RoundingProfile::Onnx) return quantize_real(real_of(a, a_) * real_of(b, b_), y_);
  return requantize_to((a - a_.zero_point) * (b - b_.zero_point), by_, y_);
}

QuantizedMean::QuantizedMean(RoundingProfile profile, const Affine& x, const Affine& y, bool pool)
    : profile_(profile),
      x_(x),
      y_(y),
      by_(quantize_multiplier(static_cast<double>(x.scale) / static_cast<double>(y.scale))),
      integer_mean_(pool && x.scale == y.scale && x.zero_point == y.zero_point) {}

std::int32_t QuantizedMean::operator()(std::int32_t sum, std::int64_t count) const {
  if (profile_ == RoundingProfile::Onnx) {
    return quantize_real(static_cast<float>(sum) * x_.scale / static_cast<float>(count), y_);
  }
  if (integer_mean_) {
    const std::int64_t raw = sum + count * x_.zero_point;
    const std::int64_t mean = raw > 0 ? (raw + count / 2) / count : (raw - count / 2) / count;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(mean, y_.min, y_.max));
  }
  // The division joins the multiplier, with as many extra bits as 31 + shift allows.
  int shift = 63 - std::countl_zero(static_cast<std::uint64_t>(count));
  shift = std::min({shift, 32, 31 + by_.shift});
  RequantizeParameters by{profile_, {}, 1.0f};
  by.fixed.multiplier = static_cast<std::int32_t>((std::int64_t{by_.multiplier} << shift) / count);
  by.fixed.shift = by_.shift - shift;
  return requantize_to(sum, by, y_);
}

namespace {

constexpr int difference_integer_bits = 5;
constexpr int sum_integer_bits = 12;

std::int32_t scaled_difference(std::int32_t difference, FixedMultiplier by) {
  const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(difference) << by.shift);
  return saturating_rounding_doubling_high_mul(shifted, by.multiplier);
}

}  // namespace

QuantizedSoftmax::QuantizedSoftmax(RoundingProfile profile, const Affine& x, const Affine& y) : x_(x), y_(y) {
  const double multiplier = static_cast<double>(x.scale) * static_cast<double>(1 << (31 - difference_integer_bits));
  const bool whole_range = y.max - y.min == 255 && y.zero_point == y.min;
  fixed_ = profile == RoundingProfile::Tflm && whole_range && y.scale == 1.0f / 256.0f && multiplier > 1.0;
  if (fixed_) {
    by_ = quantize_multiplier(std::min(multiplier, 2147483647.0));
    least_difference_ = -fixed_input_radius(difference_integer_bits, by_.shift);
    return;
  }
  for (std::size_t d = 0; d < exponentials_.size(); ++d) {
    const double exponential = std::exp(-static_cast<double>(x.scale) * static_cast<double>(d));
    exponentials_[d] = static_cast<std::uint32_t>(std::llround(exponential * static_cast<double>(1 << 30)));
  }
}

void QuantizedSoftmax::operator()(std::span<const std::int32_t> values, std::span<std::int32_t> results) const {
  if (values.empty()) return;
  const std::int32_t largest = *std::max_element(values.begin(), values.end());
  if (fixed_) {
    run_fixed(values, largest, results);
    return;
  }
  std::uint64_t sum = 0;
  for (const std::int32_t value : values) sum += exponentials_[static_cast<std::size_t>(largest - value)];
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double share =
        static_cast<double>(exponentials_[static_cast<std::size_t>(largest - values[i])]) / static_cast<double>(sum);
    const double q = std::nearbyint(share / static_cast<double>(y_.scale)) + y_.zero_point;
    results[i] = static_cast<std::int32_t>(std::clamp<double>(q, y_.min, y_.max));
  }
}

void QuantizedSoftmax::run_fixed(std::span<const std::int32_t> values, std::int32_t largest,
                                 std::span<std::int32_t> results) const {
  const auto exponential = [&](std::int32_t value) {
    return fixed_exp_on_negative_values(scaled_difference(value - largest, by_), difference_integer_bits);
  };
  std::uint32_t sum = 0;
  for (const std::int32_t value : values) {
    if (value - largest < least_difference_) continue;
    sum += static_cast<std::uint32_t>(rounding_divide_by_pot(exponential(value), sum_integer_bits));
  }
  const FixedReciprocal reciprocal = fixed_reciprocal(static_cast<std::int32_t>(sum), sum_integer_bits);
  const int exponent = reciprocal.bits_over_unit + 31 - 8;
  for (std::size_t i = 0; i < values.size(); ++i) {
    results[i] = y_.min;
    if (values[i] - largest < least_difference_) continue;
    const std::int32_t product = saturating_rounding_doubling_high_mul(reciprocal.raw, exponential(values[i]));
    results[i] = std::clamp(rounding_divide_by_pot(product, std::clamp(exponent, 0, 31)) + y_.min, y_.min, y_.max);
  }
}

}  // namespace adze
