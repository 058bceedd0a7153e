#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adze {

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// 95 % confidence interval of a proportion. successes of trials; [0, 1] without trials.
/// Source  Wilson, Probable Inference, 1927; Newcombe, Two-sided confidence intervals, 1998, method 3
Interval wilson_interval(std::int64_t successes, std::int64_t trials);

/// Counts by true class (row) and predicted class (column).
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::int64_t classes = 0);
  void add(std::int64_t truth, std::int64_t predicted);
  std::int64_t classes() const { return classes_; }
  std::int64_t at(std::int64_t truth, std::int64_t predicted) const;
  std::int64_t total() const;
  std::int64_t correct() const;
  /// Samples of the class, and how many of them were found (recall = found / samples).
  std::int64_t samples_of(std::int64_t truth) const;
  std::int64_t predicted_as(std::int64_t predicted) const;
  /// Mean over the classes that occur of 2·TP / (2·TP + FP + FN).
  double macro_f1() const;

 private:
  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

/// Area under the ROC curve: the chance that a positive scores above a negative, ties counted half. NaN when one kind
/// is missing. Source  Hanley and McNeil, 1982 (equals the Mann-Whitney statistic)
double area_under_curve(std::span<const double> scores, const std::vector<bool>& positive);

/// Index of the largest element, the first among equals; NaN never wins.
std::int64_t argmax(std::span<const float> scores);
/// How many elements rank before scores[index]: larger, or equal at a lower index. NaN ranks last.
std::int64_t rank_of(std::span<const float> scores, std::int64_t index);

/// McNemar's paired test: b samples only the first model got right, c only the second. Two-sided.
struct McNemar {
  double exact_p = 1.0;  ///< binomial, conservative
  double mid_p = 1.0;    ///< exact minus half the probability of the observed split
};
/// Source  McNemar 1947; Fagerland, Lydersen and Laake, The McNemar test for binary matched-pairs data, 2013
McNemar mcnemar(std::int64_t only_first, std::int64_t only_second);

/// 95 % interval of the difference of two paired proportions, first minus second, in counts of n pairs.
/// Source  Newcombe, Improved confidence intervals for the difference based on paired data, 1998, method 10
Interval paired_difference_interval(std::int64_t both, std::int64_t only_first, std::int64_t only_second,
                                    std::int64_t neither);

/// Are these numbers probabilities of classes (8-bit ones included), rather than logits?
bool is_distribution(std::span<const float> row);
/// Probabilities of a row: as they are when `already`, else by softmax; none below 1e-9.
std::vector<double> probabilities(std::span<const float> row, bool already);

/// How far a network's confidence is from its accuracy, over 15 equal bins of confidence.
/// Source  Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599, equation 3
class CalibrationCurve {
 public:
  static constexpr std::size_t bins = 15;
  /// confidence: the probability given to the predicted class.
  void add(double confidence, bool correct);
  /// Mean |accuracy − confidence| over the bins, weighted by their samples.
  double expected_error() const;

 private:
  std::array<double, bins> confidences_{}, hits_{}, counts_{};
};

}  // namespace adze
