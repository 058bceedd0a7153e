#include <array>
#include <cmath>
#include <limits>

#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

constexpr int most_terms = 4;
using Matrix = std::array<std::array<double, most_terms + 1>, most_terms>;

double sign_of(std::uint64_t code, int term) {
  return ((code >> term) & 1) != 0 ? -1.0 : 1.0;
}

/// Solves the normal equations in place by elimination with pivots; false when they have no single solution.
bool solve(Matrix& a, int n) {
  for (int column = 0; column < n; ++column) {
    int pivot = column;
    for (int row = column + 1; row < n; ++row) {
      if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
    }
    if (std::abs(a[pivot][column]) < 1e-9) return false;
    std::swap(a[pivot], a[column]);
    for (int row = 0; row < n; ++row) {
      if (row == column) continue;
      const double factor = a[row][column] / a[column][column];
      for (int k = column; k <= n; ++k) a[row][k] -= factor * a[column][k];
    }
  }
  return true;
}

/// A value as a sum of scales, each added or subtracted: m bits and m scales, so that a product is m binary products.
/// Bit i set subtracts scale i. Scales are found greedily and improved by turns of least squares and nearest codes.
/// Source  Guo et al., Network Sketching, 2017 (greedy); Xu et al., Alternating Multi-bit Quantization for Recurrent
///         Neural Networks, 2018
class CodeSumFormat : public NumberFormat {
 public:
  using NumberFormat::NumberFormat;

  FormatParameters unit() const override {
    FormatParameters scales;
    for (int term = 0; term < bits(); ++term) scales.push_back(std::ldexp(1.0, -term));
    return scales;
  }

  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override {
    check_finite(values, name());
    if (largest_magnitude(values) == 0) return unit();
    FormatParameters scales = greedy(values);
    for (int turn = 0; turn < 12; ++turn) {
      FormatParameters next = least_squares(values, options.importance, scales);
      if (next == scales) break;
      scales = next;
    }
    return scales;
  }

  std::uint64_t encode(double value, const FormatParameters& scales, Rounding rounding) const override {
    if (std::isnan(value)) refuse_nan();
    std::uint64_t below = 0;
    std::uint64_t above = 0;
    double most_below = -std::numeric_limits<double>::infinity();
    double least_above = std::numeric_limits<double>::infinity();
    for (std::uint64_t code = 0; code >> bits() == 0; ++code) {
      const double sum = decode(code, scales);
      if (sum <= value && sum > most_below) most_below = sum, below = code;
      if (sum >= value && sum < least_above) least_above = sum, above = code;
    }
    if (std::isinf(least_above)) return below;
    if (std::isinf(most_below)) return above;
    const double up = value - most_below;
    const double down = least_above - value;
    if (rounding.random != nullptr) return rounding.random->uniform() * (up + down) < up ? above : below;
    if (up == down) return below % 2 == 0 ? below : above;
    return up < down ? below : above;
  }

  double decode(std::uint64_t code, const FormatParameters& scales) const override {
    check_code(code);
    double sum = 0;
    for (int term = 0; term < bits(); ++term) sum += sign_of(code, term) * scales[static_cast<std::size_t>(term)];
    return sum;
  }

 private:
  FormatParameters greedy(std::span<const float> values) const {
    std::vector<double> rest(values.begin(), values.end());
    FormatParameters scales;
    for (int term = 0; term < bits(); ++term) {
      double sum = 0;
      for (const double value : rest) sum += std::abs(value);
      scales.push_back(sum / static_cast<double>(rest.size()));
      for (double& value : rest) value -= value < 0 ? -scales.back() : scales.back();
    }
    return scales;
  }

  FormatParameters least_squares(std::span<const float> values, std::span<const float> importance,
                                 const FormatParameters& scales) const {
    Matrix a{};
    const int n = bits();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t code = encode(values[i], scales, {});
      const double weight = importance.empty() ? 1.0 : importance[i];
      for (int row = 0; row < n; ++row) {
        for (int column = 0; column < n; ++column)
          a[row][column] += weight * sign_of(code, row) * sign_of(code, column);
        a[row][n] += weight * sign_of(code, row) * values[i];
      }
    }
    if (!solve(a, n)) return scales;
    FormatParameters next;
    for (int row = 0; row < n; ++row) next.push_back(a[row][n] / a[row][row]);
    return next;
  }
};

}  // namespace

std::shared_ptr<const NumberFormat> parse_code_sum_format(std::string_view name) {
  std::string_view rest = name;
  int terms = 0;
  if (!take_prefix(rest, "codesum") || !take_number(rest, terms) || !rest.empty()) return nullptr;
  check_format_number(name, "terms", terms, 1, most_terms);
  return std::make_shared<CodeSumFormat>(NumberFormat::Facts{std::string(name), "code sum",
                                                             "Xu et al., Alternating Multi-bit Quantization, 2018",
                                                             terms, 0, 32 * terms, true});
}

}  // namespace adze
