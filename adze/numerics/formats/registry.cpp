#include <algorithm>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

const std::vector<FormatFamily>& families() {
  static const std::vector<FormatFamily> all = {
      {"float",
       parse_float_format,
       {"f64", "f32", "tf32", "f16", "bf16", "f8e4m3", "f8e5m2", "f8e4m3fnuz", "f8e5m2fnuz", "f6e3m2", "f6e2m3",
        "f4e2m1", "e8m0"}},
      {"microscaling",
       parse_microscaling_format,
       {"mxfp8e4m3", "mxfp8e5m2", "mxfp6e3m2", "mxfp6e2m3", "mxfp4", "mxint8"}},
      {"flexpoint", parse_flexpoint_format, {"flex16", "flex8"}},
      {"posit", parse_posit_format, {"posit16", "posit8", "posit8es0", "posit6es1"}},
      {"fixed point", parse_fixed_point_format, {"q3.4", "q7.8", "fixed8"}},
      {"integer",
       parse_integer_format,
       {"int16", "int8", "int8sym", "int4", "int4sym", "int3", "int2", "uint8", "uint4", "uint2"}},
      {"binary", parse_binary_format, {"binary", "ternary"}},
      {"logarithmic", parse_logarithmic_format, {"log4", "log5", "apot4", "apot6"}},
      {"codebook", parse_codebook_format, {"codebook16", "codebook4", "nf4"}},
      {"code sum", parse_code_sum_format, {"codesum2", "codesum3"}},
  };
  return all;
}

}  // namespace

std::shared_ptr<const NumberFormat> format(std::string_view name) {
  for (const FormatFamily& family : families()) {
    if (auto found = family.parse(name)) return found;
  }
  const std::string near = nearest(name, format_names());
  throw UsageError(cat("no number format is called ", adze::quoted(name),
                       near.empty() ? std::string("; docs/formats.md lists them") : cat("; did you mean ", near, "?")));
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const FormatFamily& family : families()) {
    names.insert(names.end(), family.examples.begin(), family.examples.end());
  }
  return names;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, int& number) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 4) return false;
  number = 0;
  for (std::size_t i = 0; i < digits; ++i) number = number * 10 + (text[i] - '0');
  text.remove_prefix(digits);
  return true;
}

void check_format_number(std::string_view format_name, std::string_view what, int number, int least, int most) {
  if (number >= least && number <= most) return;
  throw UsageError(
      cat("number format ", adze::quoted(format_name), ": ", what, " must be ", least, " to ", most, ", not ", number));
}

}  // namespace adze
