#include "cli/data_options.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "adze/base/text.h"

namespace adze::cli {

void DataOptions::declare(Options& options, const std::string& flag, const std::string& help, Options::Need need) {
  options.option(path, flag, help, need);
  options.option(split, "--split", "Part of the data to take when it has several, such as train or test");
  options.option(preprocessing, "--preprocess",
                 "Changes to the model's preprocessing: \"size=96x96 scale=1/255 mean=0.485,0.456,0.406 std=…\"");
  options.option(label_column, "--label-column", "Name of the label's column in a CSV file");
  options.flag(strict, "--strict", "End at the first sample that cannot be decoded");
}

DataRequest DataOptions::request() const {
  return {resolve_data_path(path), path, split, preprocessing, label_column, strict};
}

EvaluateOptions DataOptions::evaluate_options(const Graph& graph, const CommonOptions& common) const {
  EvaluateOptions options;
  options.batch_size = batch_size_for(graph, batch);
  options.samples = samples;
  options.seed = static_cast<std::uint64_t>(common.seed);
  return options;
}

std::string resolve_data_path(const std::string& path) {
  if (path.empty() || path.starts_with("demo:")) return path;
  // "archive.tar.zst:inside" names an archive and a folder in it.
  const std::string file = path.substr(0, path.find(':'));
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) || std::filesystem::exists(file, ignored)) return path;
  const char* root = std::getenv("ADZE_DATA");
  if (root == nullptr) return path;
  const std::filesystem::path beneath = std::filesystem::path(root) / file;
  return std::filesystem::exists(beneath, ignored) ? (std::filesystem::path(root) / path).string() : path;
}

void remark_skipped(Console& console, const std::vector<BadSample>& skipped) {
  if (skipped.empty()) return;
  constexpr std::size_t shown = 5;
  console.remark(
      cat("warning: ", skipped.size(), " samples could not be decoded and were left out (--strict ends at the first)"));
  for (std::size_t i = 0; i < std::min(shown, skipped.size()); ++i) {
    console.remark(cat("  ", skipped[i].name, ": ", skipped[i].reason));
  }
}

std::map<std::string, Shape> parse_shapes(const std::vector<std::string>& texts) {
  std::map<std::string, Shape> shapes;
  for (const std::string& text : texts) {
    const std::size_t colon = text.rfind(':');
    Shape shape;
    bool valid = colon != std::string::npos && colon > 0;
    if (valid) {
      for (const std::string& dim : split(text.substr(colon + 1), 'x')) {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(dim.data(), dim.data() + dim.size(), value);
        valid = valid && error == std::errc() && end == dim.data() + dim.size() && value > 0;
        shape.push_back(value);
      }
    }
    if (!valid) throw UsageError(cat("--shapes ", adze::quoted(text), " is not NAME:1x3x224x224"));
    shapes[text.substr(0, colon)] = shape;
  }
  return shapes;
}

double parse_fraction(const std::string& text, const std::string& flag) {
  const bool percent = text.ends_with('%');
  const std::string number(trim(std::string_view(text).substr(0, text.size() - (percent ? 1 : 0))));
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || !(value >= 0) || value > (percent ? 100 : 1)) {
    throw UsageError(cat(flag, " ", adze::quoted(text), " is not a share"), cat(flag, " 1%  or  ", flag, " 0.01"));
  }
  return percent ? value / 100 : value;
}

}  // namespace adze::cli
