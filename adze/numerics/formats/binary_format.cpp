#include <algorithm>
#include <cmath>

#include "adze/numerics/formats/code_table.h"
#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

/// -1 and 1 times the mean magnitude, which has the least squared error. Code 1 is -1; zero becomes 1.
/// Source  Rastegari et al., XNOR-Net, 2016, equation 6
class BinaryFormat : public TableFormat {
 public:
  BinaryFormat()
      : TableFormat({"binary", "binary", "Rastegari et al., XNOR-Net, 2016", 1, 0, 32, true}, {{1.0, 0}, {-1.0, 1}}) {}

  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override {
    check_finite(values, name());
    double sum = 0;
    double total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double weight = options.importance.empty() ? 1.0 : options.importance[i];
      sum += weight * std::abs(values[i]);
      total += weight;
    }
    return {sum > 0 ? sum / total : 1.0};
  }
};

/// -1, 0 and 1 times a scale. With the k largest magnitudes kept, the best scale is their mean and removes
/// (their sum)² / k from the squared error: the best k is found exactly, where TWN estimates the threshold.
/// Source  Li, Zhang and Liu, Ternary Weight Networks, 2016, equations 4 to 6
class TernaryFormat : public TableFormat {
 public:
  TernaryFormat()
      : TableFormat({"ternary", "binary", "Li, Zhang and Liu, Ternary Weight Networks, 2016", 2, 0, 32, true},
                    {{0.0, 0}, {1.0, 1}, {-1.0, 3}}) {}

  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override {
    check_finite(values, name());
    std::vector<std::pair<double, double>> magnitudes(values.size());  // and importance
    for (std::size_t i = 0; i < values.size(); ++i) {
      magnitudes[i] = {std::abs(values[i]), options.importance.empty() ? 1.0 : options.importance[i]};
    }
    std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
    double sum = 0;
    double total = 0;
    double best = 0;
    double scale = 1.0;
    for (const auto& [magnitude, weight] : magnitudes) {
      sum += weight * magnitude;
      total += weight;
      if (total == 0 || sum * sum / total <= best) continue;
      best = sum * sum / total;
      scale = sum / total;
    }
    return {scale};
  }
};

}  // namespace

std::shared_ptr<const NumberFormat> parse_binary_format(std::string_view name) {
  if (name == "binary") return std::make_shared<BinaryFormat>();
  if (name == "ternary") return std::make_shared<TernaryFormat>();
  return nullptr;
}

}  // namespace adze
