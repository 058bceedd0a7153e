#include <cmath>

#include "adze/numerics/formats/code_table.h"
#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

std::vector<CodeTable::Entry> twos_complement(int bits, double unit) {
  std::vector<CodeTable::Entry> entries;
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  const auto mask = static_cast<std::uint32_t>(2 * half - 1);
  for (std::int64_t i = -half; i < half; ++i) {
    entries.push_back({static_cast<double>(i) * unit, static_cast<std::uint32_t>(i) & mask});
  }
  return entries;
}

/// Fixed point: two's complement integers of a fixed unit, as DSPs write them ("Q3.4": sign, 3 bits before and 4 after
/// the point). The scale is always 1.
class FixedPointFormat : public TableFormat {
 public:
  using TableFormat::TableFormat;

  FormatParameters fit(std::span<const float> values, const FitOptions&) const override {
    check_finite(values, name());
    return {1.0};
  }
};

/// Fixed point whose point is placed for each block: scales are powers of two, the least that does not saturate.
class ScaledFixedPointFormat : public TableFormat {
 public:
  using TableFormat::TableFormat;

 protected:
  double stored_scale(double scale) const override { return std::exp2(std::ceil(std::log2(scale) - 1e-12)); }
};

}  // namespace

std::shared_ptr<const NumberFormat> parse_fixed_point_format(std::string_view name) {
  std::string_view rest = name;
  int bits = 0;
  if (take_prefix(rest, "fixed")) {
    if (!take_number(rest, bits) || !rest.empty()) return nullptr;
    check_format_number(name, "bits", bits, 2, 16);
    NumberFormat::Facts facts{
        std::string(name), "fixed point", "two's complement, power-of-two unit", bits, 0, 8, false};
    return std::make_shared<ScaledFixedPointFormat>(std::move(facts), twos_complement(bits, 1.0));
  }
  int whole = 0;
  int fraction = 0;
  if (!take_prefix(rest, "q") || !take_number(rest, whole) || !take_prefix(rest, ".")) return nullptr;
  if (!take_number(rest, fraction) || !rest.empty()) return nullptr;
  bits = 1 + whole + fraction;
  check_format_number(name, "bits with the sign", bits, 2, 16);
  NumberFormat::Facts facts{std::string(name), "fixed point", "two's complement, Q notation", bits, 0, 0, false};
  return std::make_shared<FixedPointFormat>(std::move(facts), twos_complement(bits, std::exp2(-fraction)));
}

}  // namespace adze
