#include "adze/evaluate/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "adze/base/error.h"

namespace adze {

namespace {

constexpr double z95 = 1.959963984540054;

double log_choose(std::int64_t n, std::int64_t k) {
  return std::lgamma(static_cast<double>(n) + 1.0) - std::lgamma(static_cast<double>(k) + 1.0) -
         std::lgamma(static_cast<double>(n - k) + 1.0);
}

}  // namespace

Interval wilson_interval(std::int64_t successes, std::int64_t trials) {
  if (successes < 0 || successes > trials) throw InternalError("wilson_interval: more successes than trials");
  if (trials == 0) return {0.0, 1.0};
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double square = z95 * z95;
  const double centre = 2.0 * n * p + square;
  const double spread = z95 * std::sqrt(square + 4.0 * n * p * (1.0 - p));
  const double divisor = 2.0 * (n + square);
  const double low = successes == 0 ? 0.0 : (centre - spread) / divisor;
  const double high = successes == trials ? 1.0 : (centre + spread) / divisor;
  return {std::max(low, 0.0), std::min(high, 1.0)};
}

ConfusionMatrix::ConfusionMatrix(std::int64_t classes)
    : classes_(classes), counts_(static_cast<std::size_t>(classes * classes), 0) {}

void ConfusionMatrix::add(std::int64_t truth, std::int64_t predicted) {
  if (truth < 0 || predicted < 0 || truth >= classes_ || predicted >= classes_) {
    throw InternalError("ConfusionMatrix: class out of range");
  }
  ++counts_[static_cast<std::size_t>(truth * classes_ + predicted)];
}

std::int64_t ConfusionMatrix::at(std::int64_t truth, std::int64_t predicted) const {
  return counts_.at(static_cast<std::size_t>(truth * classes_ + predicted));
}

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::correct() const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += at(c, c);
  return sum;
}

std::int64_t ConfusionMatrix::samples_of(std::int64_t truth) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += at(truth, c);
  return sum;
}

std::int64_t ConfusionMatrix::predicted_as(std::int64_t predicted) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += at(c, predicted);
  return sum;
}

double ConfusionMatrix::macro_f1() const {
  double sum = 0.0;
  std::int64_t occurring = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    const std::int64_t samples = samples_of(c);
    if (samples == 0) continue;
    ++occurring;
    sum += 2.0 * static_cast<double>(at(c, c)) / static_cast<double>(samples + predicted_as(c));
  }
  return occurring == 0 ? 0.0 : sum / static_cast<double>(occurring);
}

double area_under_curve(std::span<const double> scores, const std::vector<bool>& positive) {
  if (scores.size() != positive.size()) throw InternalError("area_under_curve: sizes differ");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // NaN ranks below everything, as in rank_of.
  const auto key = [&](std::size_t i) {
    return std::isnan(scores[i]) ? -std::numeric_limits<double>::infinity() : scores[i];
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  double rank_sum = 0.0;
  double positives = 0.0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && key(order[end]) == key(order[begin])) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);  // ties share their mean rank
    for (; begin < end; ++begin) {
      if (!positive[order[begin]]) continue;
      rank_sum += rank;
      positives += 1.0;
    }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0.0 || negatives == 0.0) return std::numeric_limits<double>::quiet_NaN();
  return (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives);
}

std::int64_t argmax(std::span<const float> scores) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] > scores[best] || (std::isnan(scores[best]) && !std::isnan(scores[i]))) best = i;
  }
  return static_cast<std::int64_t>(best);
}

std::int64_t rank_of(std::span<const float> scores, std::int64_t index) {
  const auto mine = static_cast<std::size_t>(index);
  const float score = scores[mine];
  std::int64_t before = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i == mine) continue;
    const bool larger = scores[i] > score || (std::isnan(score) && !std::isnan(scores[i]));
    const bool equal = scores[i] == score || (std::isnan(score) && std::isnan(scores[i]));
    if (larger || (equal && i < mine)) ++before;
  }
  return before;
}

McNemar mcnemar(std::int64_t only_first, std::int64_t only_second) {
  if (only_first < 0 || only_second < 0) throw InternalError("mcnemar: negative count");
  const std::int64_t n = only_first + only_second;
  if (n == 0) return {};
  const std::int64_t smaller = std::min(only_first, only_second);
  const double log_half = static_cast<double>(n) * std::log(0.5);
  double tail = 0.0;
  for (std::int64_t k = 0; k <= smaller; ++k) tail += std::exp(log_choose(n, k) + log_half);
  const double observed = std::exp(log_choose(n, smaller) + log_half);
  McNemar result;
  result.exact_p = std::min(1.0, 2.0 * tail);
  // For an even split the two-sided exact value counts the middle twice; the mid-p value is then 1 − P(observed).
  result.mid_p = only_first == only_second ? 1.0 - 0.5 * observed : std::min(1.0, 2.0 * tail - observed);
  return result;
}

Interval paired_difference_interval(std::int64_t both, std::int64_t only_first, std::int64_t only_second,
                                    std::int64_t neither) {
  const std::int64_t total = both + only_first + only_second + neither;
  if (total == 0) return {-1.0, 1.0};
  const auto n = static_cast<double>(total);
  const auto a = static_cast<double>(both), b = static_cast<double>(only_first);
  const auto c = static_cast<double>(only_second), d = static_cast<double>(neither);
  const Interval first = wilson_interval(both + only_first, total);
  const Interval second = wilson_interval(both + only_second, total);
  const double p1 = (a + b) / n, p2 = (a + c) / n;
  const double margins = (a + b) * (c + d) * (a + c) * (b + d);
  double product = a * d - b * c;
  if (product > n / 2.0) {
    product -= n / 2.0;  // continuity correction of the correlation
  } else if (product >= 0.0) {
    product = 0.0;
  }
  const double phi = margins > 0.0 ? product / std::sqrt(margins) : 0.0;
  const double l1 = p1 - first.low, u1 = first.high - p1, l2 = p2 - second.low, u2 = second.high - p2;
  const double down = std::sqrt(std::max(0.0, l1 * l1 - 2.0 * phi * l1 * u2 + u2 * u2));
  const double up = std::sqrt(std::max(0.0, u1 * u1 - 2.0 * phi * u1 * l2 + l2 * l2));
  return {p1 - p2 - down, p1 - p2 + up};
}

bool is_distribution(std::span<const float> row) {
  double sum = 0.0;
  for (const float value : row) {
    if (!(value >= 0.0F && value <= 1.0F + 1e-3F)) return false;
    sum += value;
  }
  return std::abs(sum - 1.0) < 0.02;  // room for eight-bit probabilities
}

std::vector<double> probabilities(std::span<const float> row, bool already) {
  constexpr double least = 1e-9;
  std::vector<double> result(row.begin(), row.end());
  const double peak = *std::max_element(result.begin(), result.end());
  double sum = 0.0;
  for (double& value : result) sum += value = already ? std::max(value, least) : std::exp(value - peak);
  for (double& value : result) value = std::max(value / sum, least);
  return result;
}

void CalibrationCurve::add(double confidence, bool correct) {
  const auto bin = std::clamp<std::size_t>(static_cast<std::size_t>(confidence * bins), 0, bins - 1);
  confidences_[bin] += confidence;
  hits_[bin] += correct ? 1 : 0;
  counts_[bin] += 1;
}

double CalibrationCurve::expected_error() const {
  double error = 0, total = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    error += std::abs(confidences_[i] - hits_[i]);
    total += counts_[i];
  }
  return total > 0 ? error / total : 0;
}

}  // namespace adze
