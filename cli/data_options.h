#pragma once

#include <cstdint>
#include <string>

#include "adze/recipe/runner.h"
#include "cli/console.h"
#include "cli/options.h"

namespace adze::cli {

/// The options with which verbs name their data.
struct DataOptions {
  std::string path;
  std::string split;
  std::string preprocessing;
  std::string label_column;
  bool strict = false;
  std::int64_t samples = 0;
  std::int64_t batch = 32;

  void declare(Options& options, const std::string& flag, const std::string& help, Options::Need need);
  DataRequest request() const;
  EvaluateOptions evaluate_options(const Graph& graph, const CommonOptions& common) const;
};

/// The path itself when it exists or is a "demo:" name, else the same beneath $ADZE_DATA when it exists there.
std::string resolve_data_path(const std::string& path);

/// Says on stderr which samples could not be decoded.
void remark_skipped(Console& console, const std::vector<BadSample>& skipped);

/// "name:1x3x224x224" texts as shapes by input name. Throws UsageError.
std::map<std::string, Shape> parse_shapes(const std::vector<std::string>& texts);

/// "1%" or "0.01" as a fraction. Throws UsageError naming the flag.
double parse_fraction(const std::string& text, const std::string& flag);

}  // namespace adze::cli
