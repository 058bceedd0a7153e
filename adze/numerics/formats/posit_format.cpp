#include <algorithm>
#include <cmath>

#include "adze/numerics/formats/code_table.h"
#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

constexpr std::string_view standard = "Standard for Posit Arithmetic, 2022; Gustafson and Yonemoto, 2017";

/// The value of a positive posit of so many bits: sign, regime, up to es exponent bits, fraction.
double decode_positive(std::uint32_t code, int bits, int es) {
  int position = bits - 2;
  const auto bit = [&](int at) { return at >= 0 ? (code >> at) & 1u : 0u; };
  const std::uint32_t regime_bit = bit(position);
  int run = 0;
  while (position >= 0 && bit(position) == regime_bit) {
    ++run;
    --position;
  }
  --position;  // the bit that ends the regime
  const int regime = regime_bit == 1 ? run - 1 : -run;
  int exponent = 0;
  for (int i = 0; i < es; ++i) exponent = 2 * exponent + static_cast<int>(bit(position--));
  double fraction = 1.0;
  for (double weight = 0.5; position >= 0; weight /= 2) fraction += weight * bit(position--);
  return std::ldexp(fraction, regime * (1 << es) + exponent);
}

/// 100…0 is "not a real" and has no entry; negative posits are the two's complement of positive ones.
std::vector<CodeTable::Entry> posit_entries(int bits, int es) {
  std::vector<CodeTable::Entry> entries = {{0.0, 0}};
  const std::uint32_t half = 1u << (bits - 1);
  for (std::uint32_t code = 1; code < half; ++code) {
    const double value = decode_positive(code, bits, es);
    entries.push_back({value, code});
    entries.push_back({-value, 2 * half - code});
  }
  return entries;
}

/// Posits round as bit strings: between two neighbours lies the posit with one bit more. Nothing but zero itself
/// becomes zero.
std::vector<double> posit_bounds(int bits, int es) {
  std::vector<double> positive = {0.0};
  for (std::uint32_t code = 1; code + 1 < 1u << (bits - 1); ++code) {
    positive.push_back(decode_positive(2 * code + 1, bits + 1, es));
  }
  std::vector<double> bounds;
  for (auto bound = positive.rbegin(); bound != positive.rend(); ++bound) bounds.push_back(-*bound);
  bounds.insert(bounds.end(), positive.begin(), positive.end());
  return bounds;
}

/// Parameters {scale}: powers of two that bring the root of the mean square to 1, where posits are densest.
class PositFormat : public TableFormat {
 public:
  PositFormat(Facts facts, int es) : TableFormat(facts, posit_entries(facts.bits, es), posit_bounds(facts.bits, es)) {}

  std::uint64_t encode(double value, const FormatParameters& parameters, Rounding rounding) const override {
    if (std::isnan(value) || std::isinf(value)) return std::uint64_t{1} << (bits() - 1);
    return TableFormat::encode(value, parameters, rounding);
  }

 protected:
  double scale_of(std::span<const float> values) const override {
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * value;
    if (squares == 0) return 1.0;
    const double scale = std::sqrt(squares / static_cast<double>(values.size()));
    return std::max(scale, largest_magnitude(values) / table().highest());
  }
  double stored_scale(double scale) const override { return std::exp2(std::round(std::log2(scale))); }
};

}  // namespace

/// "posit8" has the standard's two exponent bits, "posit8es0" as many as it says.
std::shared_ptr<const NumberFormat> parse_posit_format(std::string_view name) {
  std::string_view rest = name;
  int bits = 0;
  int es = 2;
  if (!take_prefix(rest, "posit") || !take_number(rest, bits)) return nullptr;
  if (take_prefix(rest, "es") && !take_number(rest, es)) return nullptr;
  if (!rest.empty()) return nullptr;
  check_format_number(name, "bits", bits, 3, 16);
  check_format_number(name, "exponent bits", es, 0, 4);
  return std::make_shared<PositFormat>(
      NumberFormat::Facts{std::string(name), "posit", std::string(standard), bits, 0, 8, true}, es);
}

}  // namespace adze
