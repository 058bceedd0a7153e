#include "adze/numerics/quantized_s16.h"

#include <bit>

namespace adze {

ReducedMultiplier reduced_multiplier(FixedMultiplier by) {
  constexpr std::int32_t just_below_one = 0x7FFF;
  const std::int32_t reduced =
      by.multiplier < (just_below_one << 16) ? (by.multiplier + (1 << 15)) >> 16 : just_below_one;
  return {reduced, std::max(1, 15 - by.shift)};
}

std::int32_t requantize_wide(std::int64_t acc, const RequantizeParameters& by) {
  if (by.profile == RoundingProfile::Onnx) {
    constexpr std::int32_t most = 1 << 30;
    return round_half_even(static_cast<float>(acc) * by.scale, -most, most);
  }
  const ReducedMultiplier reduced = reduced_multiplier(by.fixed);
  const std::int64_t half = std::int64_t{1} << (reduced.shift - 1);
  const std::int64_t result = (acc * reduced.multiplier + half) >> reduced.shift;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(result, std::numeric_limits<std::int32_t>::min(),
                                                            std::numeric_limits<std::int32_t>::max()));
}

std::int32_t requantize_wide_to(std::int64_t acc, const RequantizeParameters& by, const Affine& y) {
  const std::int64_t bounded = std::clamp(acc, -largest_wide_sum, largest_wide_sum);
  const std::int64_t shifted = std::int64_t{requantize_wide(bounded, by)} + y.zero_point;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(shifted, y.min, y.max));
}

InterpolatedTable interpolated_table(const std::function<double(double)>& function, double low, double step,
                                     double inverse_scale, std::int32_t min, std::int32_t max) {
  InterpolatedTable table;
  const auto value = [&](double at) {
    const double scaled = function(low + at * step) * inverse_scale;
    return scaled == scaled ? std::clamp(scaled, -1e9, 1e9) : static_cast<double>(min);
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto at = static_cast<double>(i);
    double entry = std::round(value(at));
    if (i + 1 < table.size()) {
      const double interpolated = std::round((value(at + 1.0) + entry) / 2.0);
      entry -= std::round((interpolated - std::round(value(at + 0.5))) / 2.0);
    }
    table[i] = static_cast<std::int16_t>(std::clamp<double>(entry, min, max));
  }
  return table;
}

std::int32_t interpolate(std::span<const std::int16_t> table, std::int32_t value) {
  const auto index = static_cast<std::size_t>(256 + (value >> 7));
  const std::int32_t base = table[index], slope = table[index + 1] - base;
  return base + ((slope * (value & 127) + 64) >> 7);
}

namespace {

constexpr double differences_over_ten = 65535.0 / 10.0;
constexpr float usual_scale = 1.0f / 32768.0f;
constexpr std::int32_t lowest = -32768, highest = 32767;

/// The first entry at low, the last at high.
InterpolatedTable table_between(double (*function)(double), double low, double high) {
  return interpolated_table(function, low, (high - low) / 512.0, 32768.0, lowest, highest);
}

}  // namespace

QuantizedSoftmaxS16::QuantizedSoftmaxS16(RoundingProfile profile, const Affine& x, const Affine& y)
    : y_(y),
      rescales_(y.scale != usual_scale),
      exponentials_(table_between([](double at) { return std::exp(at); }, -10.0, 0.0)),
      reciprocals_(table_between([](double at) { return 1.0 / (1.0 + at); }, 0.0, 1.0)) {
  // Both are fixed-point multiplications in every profile.
  const RoundingProfile fixed = profile == RoundingProfile::Litert ? profile : RoundingProfile::Tflm;
  difference_ = make_requantize(fixed, static_cast<double>(x.scale) * differences_over_ten);
  output_ = make_requantize(fixed, static_cast<double>(usual_scale) / static_cast<double>(y.scale));
}

void QuantizedSoftmaxS16::operator()(std::span<const std::int32_t> values, std::span<std::int32_t> results) const {
  if (values.empty()) return;
  const std::int32_t largest = *std::max_element(values.begin(), values.end());
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t centred = std::int64_t{requantize(values[i] - largest, difference_)} + highest;
    results[i] =
        interpolate(exponentials_, static_cast<std::int32_t>(std::clamp<std::int64_t>(centred, lowest, highest)));
    sum += static_cast<std::uint32_t>(results[i]);
  }
  const int headroom = std::countl_zero(sum);  // 17 at most: the largest counts nearly one
  const auto shifted = static_cast<std::int32_t>(((std::uint64_t{sum} << (headroom - 1)) + (1u << 13)) >> 14);
  const std::int32_t reciprocal = interpolate(reciprocals_, std::clamp(shifted - 3 * 32768, lowest, highest));
  const int right = 31 - headroom;
  for (std::int32_t& result : results) {
    const std::int64_t product = std::int64_t{result} * reciprocal + (std::int64_t{1} << (right - 1));
    const auto share = static_cast<std::int32_t>(std::clamp<std::int64_t>(product >> right, 0, highest));
    result = std::clamp(rescales_ ? requantize(share, output_) : share, y_.min, y_.max);
  }
}

}  // namespace adze
