#include <cmath>

#include "adze/numerics/formats/code_table.h"
#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

/// Both signs of every magnitude, the sign in the highest bit; the magnitudes' codes count from 0, which is zero.
std::vector<CodeTable::Entry> with_signs(const std::vector<double>& magnitudes) {
  std::vector<CodeTable::Entry> entries;
  const auto half = static_cast<std::uint32_t>(magnitudes.size());
  for (std::uint32_t code = 0; code < half; ++code) {
    entries.push_back({magnitudes[code], code});
    entries.push_back({-magnitudes[code], half + code});
  }
  return entries;
}

/// 0 and powers of two up to 1.
/// Source  Miyashita, Lee and Murmann, Convolutional Neural Networks using Logarithmic Data Representation, 2016
std::vector<double> powers_of_two(int bits) {
  const int count = 1 << (bits - 1);
  std::vector<double> magnitudes = {0.0};
  for (int i = 1; i < count; ++i) magnitudes.push_back(std::ldexp(1.0, i + 1 - count));
  return magnitudes;
}

/// Sums of terms of two bits each, every term 0 or one of three powers of two, all exponents different: 2^-1 … 2^-3n go
/// round among n terms. An odd bit makes a term of one power, the one after two rounds.
/// Source  Li, Dong and Wang, Additive Powers-of-Two Quantization, 2020, equation 5
std::vector<double> sums_of_powers(int bits) {
  const int magnitude_bits = bits - 1;
  const int terms = magnitude_bits / 2;
  const bool odd = magnitude_bits % 2 != 0;
  std::vector<int> exponents;
  for (int e = 1; e <= 3 * terms + (odd ? 1 : 0); ++e) {
    if (!odd || e != 2 * terms + 1) exponents.push_back(e);
  }
  std::vector<double> magnitudes;
  for (int code = 0; code < 1 << magnitude_bits; ++code) {
    double sum = (code >> (2 * terms)) != 0 ? std::ldexp(1.0, -(2 * terms + 1)) : 0.0;
    for (int term = 0; term < terms; ++term) {
      const int choice = (code >> (2 * term)) & 3;
      if (choice == 0) continue;
      sum += std::ldexp(1.0, -exponents[static_cast<std::size_t>((3 - choice) * terms + term)]);
    }
    magnitudes.push_back(sum);
  }
  return magnitudes;
}

}  // namespace

/// "log4": a sign and powers of two; "apot4": a sign and sums of powers of two. Bits with the sign.
std::shared_ptr<const NumberFormat> parse_logarithmic_format(std::string_view name) {
  std::string_view rest = name;
  int bits = 0;
  const bool sums = take_prefix(rest, "apot");
  if (!sums && !take_prefix(rest, "log")) return nullptr;
  if (!take_number(rest, bits) || !rest.empty()) return nullptr;
  check_format_number(name, "bits", bits, sums ? 3 : 2, 8);
  const std::string source = sums ? "Li, Dong and Wang, Additive Powers-of-Two Quantization, 2020"
                                  : "Miyashita, Lee and Murmann, Logarithmic Data Representation, 2016";
  return std::make_shared<TableFormat>(NumberFormat::Facts{std::string(name), "logarithmic", source, bits, 0, 32, true},
                                       with_signs(sums ? sums_of_powers(bits) : powers_of_two(bits)));
}

}  // namespace adze
