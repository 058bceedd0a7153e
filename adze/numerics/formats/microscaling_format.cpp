#include <algorithm>
#include <array>
#include <cmath>

#include "adze/numerics/formats/families.h"
#include "adze/numerics/formats/float_format.h"

namespace adze {

namespace {

/// Blocks of 32 values that share a power of two (E8M0). The scale puts the largest magnitude into the highest binade
/// of the elements; what rounds beyond their largest value saturates.
///
/// Source  OCP Microscaling Formats (MX) Specification 1.0, 2023, section 6.3
class MicroscalingFormat : public TableFormat {
 public:
  MicroscalingFormat(Facts facts, const std::vector<CodeTable::Entry>& entries)
      : TableFormat(std::move(facts), entries), highest_exponent_(std::ilogb(table().highest())) {}

 protected:
  double scale_of(std::span<const float> values) const override {
    const double largest = largest_magnitude(values);
    return largest == 0 ? 1.0 : stored_scale(std::ldexp(1.0, std::ilogb(largest) - highest_exponent_));
  }
  double stored_scale(double scale) const override {
    return std::exp2(std::clamp(std::round(std::log2(scale)), -127.0, 127.0));
  }

 private:
  int highest_exponent_;
};

std::vector<CodeTable::Entry> int8_entries() {
  std::vector<CodeTable::Entry> entries;
  for (int i = -128; i < 128; ++i) entries.push_back({i / 64.0, static_cast<std::uint32_t>(i) & 0xff});
  return entries;
}

struct NamedElement {
  std::string_view name;
  FloatParameters parameters;
};

constexpr std::array<NamedElement, 8> elements = {{
    {"mxfp8", {4, 3, 7, FloatSpecials::Fn, true}},
    {"mxfp8e4m3", {4, 3, 7, FloatSpecials::Fn, true}},
    {"mxfp8e5m2", {5, 2, 15, FloatSpecials::Ieee, true}},
    {"mxfp6", {2, 3, 1, FloatSpecials::Finite, true}},
    {"mxfp6e3m2", {3, 2, 3, FloatSpecials::Finite, true}},
    {"mxfp6e2m3", {2, 3, 1, FloatSpecials::Finite, true}},
    {"mxfp4", {2, 1, 1, FloatSpecials::Finite, true}},
    {"mxfp4e2m1", {2, 1, 1, FloatSpecials::Finite, true}},
}};

std::shared_ptr<const NumberFormat> make(std::string_view name, int bits,
                                         const std::vector<CodeTable::Entry>& entries) {
  return std::make_shared<MicroscalingFormat>(
      NumberFormat::Facts{std::string(name), "microscaling", "OCP Microscaling Formats Specification 1.0, 2023", bits,
                          32, 8, name != "mxint8"},
      entries);
}

}  // namespace

std::shared_ptr<const NumberFormat> parse_microscaling_format(std::string_view name) {
  if (name == "mxint8") return make(name, 8, int8_entries());
  for (const NamedElement& element : elements) {
    if (element.name == name) return make(name, element.parameters.bits(), float_entries(element.parameters));
  }
  return nullptr;
}

}  // namespace adze
