#include <array>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/numerics/formats/families.h"
#include "adze/numerics/formats/float_format.h"

namespace adze {

namespace {

struct NamedFloat {
  std::string_view name;
  FloatParameters parameters;
  std::string_view source;
};

constexpr std::string_view ieee = "IEEE 754-2019";
constexpr std::string_view ocp8 = "OCP 8-bit Floating Point Specification, 2023";
constexpr std::string_view fnuz = "Noune et al., 8-bit Numerical Formats for Deep Neural Networks, 2022";
constexpr std::string_view ocpmx = "OCP Microscaling Formats Specification 1.0, 2023";

/// The 8-bit formats saturate as the ONNX operators do by default.
constexpr std::array<NamedFloat, 12> named = {{
    {"f64", {11, 52, 1023, FloatSpecials::Ieee, false}, ieee},
    {"f32", {8, 23, 127, FloatSpecials::Ieee, false}, ieee},
    {"tf32", {8, 10, 127, FloatSpecials::Ieee, false}, "NVIDIA A100 Tensor Core GPU Architecture, 2020"},
    {"f16", {5, 10, 15, FloatSpecials::Ieee, false}, ieee},
    {"bf16", {8, 7, 127, FloatSpecials::Ieee, false}, "Kalamkar et al., A Study of BFLOAT16, 2019"},
    {"f8e4m3", {4, 3, 7, FloatSpecials::Fn, true}, ocp8},
    {"f8e5m2", {5, 2, 15, FloatSpecials::Ieee, true}, ocp8},
    {"f8e4m3fnuz", {4, 3, 8, FloatSpecials::Fnuz, true}, fnuz},
    {"f8e5m2fnuz", {5, 2, 16, FloatSpecials::Fnuz, true}, fnuz},
    {"f6e3m2", {3, 2, 3, FloatSpecials::Finite, true}, ocpmx},
    {"f6e2m3", {2, 3, 1, FloatSpecials::Finite, true}, ocpmx},
    {"f4e2m1", {2, 1, 1, FloatSpecials::Finite, true}, ocpmx},
}};

std::shared_ptr<const NumberFormat> make(std::string_view name, const FloatParameters& parameters,
                                         std::string_view source) {
  NumberFormat::Facts facts{std::string(name), "float", std::string(source), parameters.bits(), 0, 0, true};
  if (facts.bits < 16) facts.parameter_bits = 32;
  return std::make_shared<FloatNumberFormat>(std::move(facts), parameters);
}

/// Unsigned powers of two, 2^-127 to 2^127, code 255 NaN: the scales of the microscaling formats.
std::shared_ptr<const NumberFormat> make_e8m0() {
  std::vector<CodeTable::Entry> entries;
  for (std::uint32_t code = 0; code < 255; ++code) {
    entries.push_back({std::ldexp(1.0, static_cast<int>(code) - 127), code});
  }
  return std::make_shared<TableFormat>(NumberFormat::Facts{"e8m0", "float", std::string(ocpmx), 8, 0, 0, false},
                                       entries);
}

/// "e4m3", "e4m3fn", "e4m3fnuz", "e4m3f", each with an optional bias "b7" and "s" for saturation at the end.
std::shared_ptr<const NumberFormat> parse_parametric(std::string_view name) {
  std::string_view rest = name;
  FloatParameters parameters{0, 0, 0, FloatSpecials::Ieee, false};
  if (!take_prefix(rest, "e") || !take_number(rest, parameters.exponent_bits)) return nullptr;
  if (!take_prefix(rest, "m") || !take_number(rest, parameters.mantissa_bits)) return nullptr;
  check_format_number(name, "exponent bits", parameters.exponent_bits, 1, 11);
  check_format_number(name, "mantissa bits", parameters.mantissa_bits, 0, 52);
  if (take_prefix(rest, "fnuz")) {
    parameters.specials = FloatSpecials::Fnuz;
  } else if (take_prefix(rest, "fn")) {
    parameters.specials = FloatSpecials::Fn;
  } else if (take_prefix(rest, "f")) {
    parameters.specials = FloatSpecials::Finite;
  }
  const bool uz = parameters.specials == FloatSpecials::Fnuz;
  parameters.bias = (1 << (parameters.exponent_bits - 1)) - (uz ? 0 : 1);
  if (take_prefix(rest, "b") && !take_number(rest, parameters.bias)) return nullptr;
  check_format_number(name, "bias", parameters.bias, 0, 1023);
  const int top = (1 << parameters.exponent_bits) - 1;
  if (top - parameters.bias > 1023) check_format_number(name, "bias", parameters.bias, top - 1023, 1023);
  parameters.saturate = take_prefix(rest, "s");
  if (!rest.empty()) return nullptr;
  const bool ieee_specials = parameters.specials == FloatSpecials::Ieee;
  if (parameters.exponent_bits + parameters.mantissa_bits < 2 ||
      (ieee_specials && (parameters.mantissa_bits == 0 || parameters.exponent_bits < 2))) {
    throw UsageError(
        cat("number format ", adze::quoted(name), ": too few bits for infinities and NaN; try e.g. e2m1f"));
  }
  return make(name, parameters, "parametric float");
}

}  // namespace

std::shared_ptr<const NumberFormat> parse_float_format(std::string_view name) {
  if (name == "e8m0") return make_e8m0();
  for (const NamedFloat& entry : named) {
    if (entry.name == name) return make(name, entry.parameters, entry.source);
  }
  return parse_parametric(name);
}

}  // namespace adze
