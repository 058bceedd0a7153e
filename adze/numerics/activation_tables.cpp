#include "adze/numerics/activation_tables.h"

namespace adze {

namespace {

std::int32_t clamped(std::int64_t value, const Affine& y) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, y.min, y.max));
}

ActivationTable filled(const Affine& x, const std::function<std::int32_t(std::int32_t)>& of_difference) {
  ActivationTable table{};
  for (std::int32_t i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = of_difference(x.min + i - x.zero_point);
  return table;
}

constexpr int input_integer_bits = 4;

/// The input's multiplier to 4 integer bits, and the distance from zero beyond which the function is flat.
struct FixedInput {
  FixedMultiplier by;
  std::int32_t radius = 0;
};

std::optional<FixedInput> fixed_input(float scale) {
  const double real = static_cast<double>(scale) * static_cast<double>(1 << (31 - input_integer_bits));
  FixedInput result{quantize_multiplier(real), 0};
  if (result.by.shift < 0 || result.by.shift > 30) return std::nullopt;
  result.radius = fixed_input_radius(input_integer_bits, result.by.shift);
  return result;
}

std::int32_t saturate16(std::int32_t value) {
  return std::clamp(value, -32768, 32767);
}

/// round(a * b / 2^15) of 16-bit numbers, ties away from zero.
std::int32_t doubling_high_mul16(std::int32_t a, std::int32_t b) {
  if (a == -32768 && b == -32768) return 32767;
  const std::int32_t product = a * b;
  return (product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15);
}

/// A 31-bit multiplier with its top 16 bits only.
std::int32_t narrow_multiplier(std::int32_t multiplier) {
  constexpr std::int32_t half = 1 << 15;
  if (multiplier >= std::numeric_limits<std::int32_t>::max() - half) return 32767;
  return (multiplier + half) >> 16;
}

}  // namespace

ActivationTable rounded_table(RoundingProfile profile, const Affine& x, const Affine& y,
                              const std::function<double(double)>& function) {
  return filled(x, [&](std::int32_t difference) {
    const float real = static_cast<float>(difference) * x.scale;
    const float scaled = static_cast<float>(function(static_cast<double>(real))) / y.scale;
    const float rounded = profile == RoundingProfile::Onnx ? std::nearbyintf(scaled) : std::roundf(scaled);
    if (!(rounded > -1e6f)) return y.min;
    return clamped(static_cast<std::int64_t>(std::min(rounded, 1e6f)) + y.zero_point, y);
  });
}

std::optional<ActivationTable> fixed_sigmoid_table(const Affine& x, const Affine& y) {
  const auto input = fixed_input(x.scale);
  const std::int32_t lowest = y.zero_point;
  if (!input || y.scale != 1.0f / 256.0f || (lowest != -128 && lowest != 0)) return std::nullopt;
  return filled(x, [&](std::int32_t difference) {
    if (difference <= -input->radius) return clamped(lowest, y);
    if (difference >= input->radius) return clamped(lowest + 255, y);
    const std::int32_t fixed = fixed_logistic(multiply_rounding_twice(difference, input->by), input_integer_bits);
    return clamped(rounding_divide_by_pot(fixed, 31 - 8) + lowest, y);
  });
}

std::optional<ActivationTable> fixed_tanh_table(const Affine& x, const Affine& y) {
  const auto input = fixed_input(x.scale);
  if (!input || y.scale != 1.0f / 128.0f || (y.zero_point != 0 && y.zero_point != 128)) return std::nullopt;
  return filled(x, [&](std::int32_t difference) {
    if (difference <= -input->radius) return clamped(y.zero_point - 128, y);
    if (difference >= input->radius) return clamped(y.zero_point + 127, y);
    const std::int32_t fixed = fixed_tanh(multiply_rounding_twice(difference, input->by), input_integer_bits);
    return clamped(rounding_divide_by_pot(fixed, 31 - 7) + y.zero_point, y);
  });
}

std::optional<ActivationTable> fixed_hard_swish_table(const Affine& x, const Affine& y) {
  const float fine_scale = (1.0f / 128.0f) * x.scale;
  const float gate_scale = 3.0f / 32768.0f;
  const FixedMultiplier by_output = quantize_multiplier(static_cast<double>(fine_scale / y.scale));
  const FixedMultiplier by_gate = quantize_multiplier(static_cast<double>(fine_scale / gate_scale));
  if (by_output.shift > 0 || by_gate.shift > 15) return std::nullopt;
  const std::int32_t output_multiplier = narrow_multiplier(by_output.multiplier);
  const std::int32_t gate_multiplier = narrow_multiplier(by_gate.multiplier);
  return filled(x, [&](std::int32_t difference) {
    const std::int32_t fine = saturate16(difference * 128);
    const std::int32_t value = doubling_high_mul16(fine, output_multiplier);
    std::int32_t gate = fine;
    if (by_gate.shift > 0) gate = saturate16(gate * (1 << (by_gate.shift - 1)));
    gate = doubling_high_mul16(gate, gate_multiplier);
    if (by_gate.shift > 0) gate = saturate16(gate * 2);
    if (by_gate.shift < 0) gate = rounding_divide_by_pot(gate, -by_gate.shift);
    gate = (gate + (1 << 15)) >> 1;
    const std::int32_t product = gate * value / (1 << 15);
    return clamped(rounding_divide_by_pot(product, -by_output.shift) + y.zero_point, y);
  });
}

std::optional<ActivationTable> fixed_leaky_relu_table(const Affine& x, const Affine& y, float alpha) {
  if (alpha < 0.0f) return std::nullopt;
  const FixedMultiplier positive = quantize_multiplier(static_cast<double>(x.scale / y.scale));
  const FixedMultiplier negative = quantize_multiplier(static_cast<double>(x.scale * alpha / y.scale));
  return filled(x, [&](std::int32_t difference) {
    return clamped(
        std::int64_t{multiply_rounding_twice(difference, difference < 0 ? negative : positive)} + y.zero_point, y);
  });
}

}  // namespace adze
