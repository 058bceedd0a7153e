#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adze/numerics/formats/format.h"

namespace adze {

/// One family of formats: how its names are read. parse() returns nothing for names of other families, and throws
/// UsageError for parameters out of range.
struct FormatFamily {
  std::string_view name;
  std::shared_ptr<const NumberFormat> (*parse)(std::string_view name);
  std::vector<std::string> examples;  ///< one name of every kind
};

std::shared_ptr<const NumberFormat> parse_float_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_integer_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_fixed_point_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_flexpoint_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_microscaling_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_posit_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_logarithmic_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_binary_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_codebook_format(std::string_view name);
std::shared_ptr<const NumberFormat> parse_code_sum_format(std::string_view name);

/// Takes prefix off the front of text; false, and text as it was, when it does not start so.
bool take_prefix(std::string_view& text, std::string_view prefix);
/// Takes a number of at most four digits off the front of text; false, and text as it was, without one.
bool take_number(std::string_view& text, int& number);
/// Throws UsageError unless least <= number <= most.
void check_format_number(std::string_view format_name, std::string_view what, int number, int least, int most);

}  // namespace adze
