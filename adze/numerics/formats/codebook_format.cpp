#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "adze/numerics/formats/code_table.h"
#include "adze/numerics/formats/families.h"

namespace adze {

namespace {

/// Values in ascending order with running sums of importance and of importance · value, so that the mean of any
/// interval of values takes constant time.
class SortedValues {
 public:
  SortedValues(std::span<const float> values, std::span<const float> importance) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    weight_.push_back(0);
    moment_.push_back(0);
    for (const std::size_t i : order) {
      const double weight = importance.empty() ? 1.0 : importance[i];
      values_.push_back(values[i]);
      weight_.push_back(weight_.back() + weight);
      moment_.push_back(moment_.back() + weight * values[i]);
    }
  }

  std::size_t size() const { return values_.size(); }
  double at(std::size_t index) const { return values_[index]; }
  /// The number of values that are at most bound.
  std::size_t count_up_to(double bound) const {
    return static_cast<std::size_t>(std::upper_bound(values_.begin(), values_.end(), bound) - values_.begin());
  }
  /// The mean of values begin … end, or fallback when they have no weight.
  double mean(std::size_t begin, std::size_t end, double fallback) const {
    const double weight = weight_[end] - weight_[begin];
    return weight > 0 ? (moment_[end] - moment_[begin]) / weight : fallback;
  }

 private:
  std::vector<double> values_, weight_, moment_;
};

/// Levels at equal steps of what lies between quantiles and an even spread over the range: close to where the best
/// levels lie for bell-shaped densities.
std::vector<double> first_levels(const SortedValues& sorted, std::size_t count) {
  std::vector<double> levels(count);
  const double low = sorted.at(0);
  const double high = sorted.at(sorted.size() - 1);
  for (std::size_t i = 0; i < count; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    const double quantile = sorted.at(static_cast<std::size_t>(share * static_cast<double>(sorted.size())));
    levels[i] = 0.6 * quantile + 0.4 * (low + share * (high - low));
  }
  return levels;
}

/// Lloyd's iteration on the sorted values.
void improve(const SortedValues& sorted, std::vector<double>& levels) {
  for (int round = 0; round < 300; ++round) {
    double moved = 0;
    std::size_t begin = 0;
    std::vector<double> next = levels;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const bool last = i + 1 == levels.size();
      const std::size_t end = last ? sorted.size() : sorted.count_up_to((levels[i] + levels[i + 1]) / 2);
      next[i] = sorted.mean(begin, end, levels[i]);
      moved = std::max(moved, std::abs(next[i] - levels[i]));
      begin = end;
    }
    levels = next;
    std::sort(levels.begin(), levels.end());
    if (moved <= 1e-9 * (levels.back() - levels.front())) break;
  }
}

/// So many levels, found by k-means (weighted by importance); the parameters are the levels in ascending order.
/// Source  Han, Mao and Dally, Deep Compression, 2016; Lloyd, Least Squares Quantization in PCM, 1982; with importance
///         Choi et al., Towards the Limit of Network Quantization, 2017
class CodebookFormat : public NumberFormat {
 public:
  CodebookFormat(Facts facts, std::size_t count) : NumberFormat(std::move(facts)), count_(count) {}

  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override {
    check_finite(values, name());
    if (values.empty()) return unit();
    const SortedValues sorted(values, options.importance);
    FormatParameters levels = first_levels(sorted, count_);
    improve(sorted, levels);
    for (double& level : levels) level = static_cast<float>(level);
    return levels;
  }

  FormatParameters unit() const override {
    FormatParameters levels(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      levels[i] = 2.0 * static_cast<double>(i) / static_cast<double>(count_ - 1) - 1.0;
    }
    return levels;
  }

  std::uint64_t encode(double value, const FormatParameters& levels, Rounding rounding) const override {
    if (std::isnan(value)) refuse_nan();
    const auto above = std::lower_bound(levels.begin(), levels.end(), value);
    if (above == levels.begin()) return 0;
    const auto index = static_cast<std::uint64_t>(above - levels.begin());
    if (above == levels.end()) return index - 1;
    const double below = value - *(above - 1);
    const double gap = *above - *(above - 1);
    if (rounding.random != nullptr) return rounding.random->uniform() < below / gap ? index : index - 1;
    if (2 * below == gap) return index % 2 == 0 ? index : index - 1;
    return 2 * below > gap ? index : index - 1;
  }

  double decode(std::uint64_t code, const FormatParameters& levels) const override {
    check_code(code);
    return code < levels.size() ? levels[code] : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  std::size_t count_;
};

/// Quantiles of the normal distribution, with an exact zero.
constexpr std::array<double, 16> normal_levels = {-1.0,
                                                  -0.6961928009986877,
                                                  -0.5250730514526367,
                                                  -0.39491748809814453,
                                                  -0.28444138169288635,
                                                  -0.18477343022823334,
                                                  -0.09105003625154495,
                                                  0.0,
                                                  0.07958029955625534,
                                                  0.16093020141124725,
                                                  0.24611230194568634,
                                                  0.33791524171829224,
                                                  0.44070982933044434,
                                                  0.5626170039176941,
                                                  0.7229568362236023,
                                                  1.0};

std::shared_ptr<const NumberFormat> make_nf4() {
  std::vector<CodeTable::Entry> entries;
  for (std::uint32_t code = 0; code < 16; ++code) entries.push_back({normal_levels[code], code});
  return std::make_shared<TableFormat>(
      NumberFormat::Facts{"nf4", "codebook", "Dettmers et al., QLoRA, 2023, appendix E", 4, 0, 32, false}, entries);
}

}  // namespace

std::shared_ptr<const NumberFormat> parse_codebook_format(std::string_view name) {
  if (name == "nf4") return make_nf4();
  std::string_view rest = name;
  int count = 0;
  if (!take_prefix(rest, "codebook") || !take_number(rest, count) || !rest.empty()) return nullptr;
  check_format_number(name, "levels", count, 2, 256);
  const int bits = std::bit_width(static_cast<unsigned>(count - 1));
  return std::make_shared<CodebookFormat>(
      NumberFormat::Facts{std::string(name), "codebook", "Han, Mao and Dally, Deep Compression, 2016", bits, 0,
                          32 * count, false},
      static_cast<std::size_t>(count));
}

}  // namespace adze
