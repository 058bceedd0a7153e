#include "adze/engine/steps/coded_form.h"

#include <algorithm>
#include <cmath>

#include "adze/numerics/float_formats.h"

namespace adze::engine {

namespace {

constexpr std::int64_t part_of_long_block = 128;

/// Evenly spaced numbers: unit * (index * step - zero_point).
struct Spacing {
  float unit = 1.0f;
  int step = 1;
  std::int32_t zero_point = 0;
};

std::optional<Spacing> spacing_of(const std::vector<float>& table) {
  if (table.size() < 2) return std::nullopt;
  const float gap = table[1] - table[0];
  if (!(gap > 0.0f) || !std::isfinite(gap)) return std::nullopt;
  for (const int step : {1, 2}) {
    if (step == 2 && table.size() > 2) break;
    Spacing spacing{gap / static_cast<float>(step), step, 0};
    const float zero = -table[0] / spacing.unit;
    if (zero != std::nearbyint(zero) || std::abs(zero) > 255.0f) continue;
    spacing.zero_point = static_cast<std::int32_t>(zero);
    bool even = true;
    for (std::size_t i = 0; i < table.size(); ++i) {
      even = even && table[i] == spacing.unit * static_cast<float>(static_cast<int>(i) * step - spacing.zero_point);
    }
    if (even) return spacing;
  }
  return std::nullopt;
}

int bits_of(int largest) {
  return largest < 2 ? 1 : largest < 4 ? 2 : largest < 16 ? 4 : 8;
}

bool all_fit_f16(std::vector<float> scales, float factor) {
  if (scales.empty()) scales.push_back(1.0f);
  return std::ranges::all_of(scales,
                             [factor](float s) { return static_cast<float>(Float16(s * factor)) == s * factor; });
}

}  // namespace

std::int64_t coded_group(std::int64_t block, std::int64_t depth) {
  const std::int64_t whole = std::min(block, depth);
  if (whole <= kernels::lowbit_most_group) return whole;
  if (block >= depth) return part_of_long_block;
  std::int64_t part = kernels::lowbit_most_group;
  while (block % part != 0) --part;
  return part;
}

std::optional<CodedForm> coded_form(const CodedWeights& weights) {
  if (weights.is_half()) return std::nullopt;
  CodedForm form;
  kernels::LowbitLayout& layout = form.layout;
  layout.depth = weights.depth;
  layout.columns = weights.columns;
  layout.group = coded_group(weights.block, weights.depth);
  auto [low, high] = std::ranges::minmax(weights.codes);
  const bool uniform = weights.zero_points.empty() ||
                       std::ranges::all_of(weights.zero_points, [&](int z) { return z == weights.zero_points[0]; });
  std::int32_t zero_point = weights.zero_points.empty() ? 0 : weights.zero_points[0];
  if (!weights.table.empty()) {
    const auto spacing = spacing_of(weights.table);
    if (!spacing || !uniform) return std::nullopt;
    form.factor = spacing->unit;
    zero_point = spacing->zero_point;
    layout.step = spacing->step;
    low = 0;
    high = std::max<std::int16_t>(high, 1);
  } else if (uniform) {
    const bool two_apart = high - low == 2 && std::ranges::find(weights.codes, low + 1) == weights.codes.end();
    if (two_apart) layout.step = 2;
  } else {
    const auto [least, most] = std::ranges::minmax(weights.zero_points);
    low = std::min(low, least);
    high = std::max(high, most);
    layout.zero_points = true;
  }
  form.base = low;
  if (weights.table.empty()) zero_point -= low;
  layout.zero_point = zero_point;
  layout.bits = bits_of(layout.step == 2 && weights.table.empty() ? 1 : high - low);
  layout.scale_bytes = all_fit_f16(weights.scales, form.factor) ? 2 : 4;
  return form;
}

void pack_coded(const CodedWeights& weights, const CodedForm& form, std::uint8_t* packed) {
  const kernels::LowbitLayout& layout = form.layout;
  const int gap = weights.table.empty() ? layout.step : 1;
  const auto block_of = [&](std::int64_t group) { return group * layout.group / weights.block; };
  kernels::pack_lowbit(
      layout,
      {[&](std::int64_t k, std::int64_t j) {
         return static_cast<std::uint8_t>((weights.code(k, j) - form.base) / gap);
       },
       [&](std::int64_t group, std::int64_t j) { return weights.scale(block_of(group), j) * form.factor; },
       [&](std::int64_t group, std::int64_t j) {
         return static_cast<std::uint8_t>(weights.zero_point(block_of(group), j) - form.base);
       }},
      packed);
}

}  // namespace adze::engine
