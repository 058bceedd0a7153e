#pragma once

#include <cstddef>
#include <deque>
#include <span>

namespace adze {

/// Chooses the exponent that a tensor shares for the next step from the maxima of the steps before ("Autoflex"), so
/// that values need to be written only once: they are stored with the predicted scale, and the largest of them is
/// looked at afterwards.
///
/// Source  Köster et al., Flexpoint: An Adaptive Numerical Format for Efficient Training of Deep Neural Networks, 2017
class FlexpointManager {
 public:
  struct Options {
    int mantissa_bits = 16;    ///< with the sign
    std::size_t history = 16;  ///< maxima that are remembered
    double headroom = 2;       ///< the predicted maximum is multiplied by this
    double deviations = 3;     ///< standard deviations of the maxima added to the largest of them
    double steps = 100;        ///< mantissa steps added
  };

  FlexpointManager() : FlexpointManager(Options{}) {}
  explicit FlexpointManager(Options options) : options_(options) {}

  /// The exact exponent for values that are there: for the first step of a tensor.
  void start(std::span<const float> values);
  /// The power of two that a mantissa counts.
  double scale() const { return scale_; }
  double largest() const;
  /// Takes the largest magnitude that was to be stored in this step and sets the scale of the next one. A value that
  /// did not fit (saturated) makes the history start again with twice the range.
  void observe(double largest_magnitude);
  int overflows() const { return overflows_; }

 private:
  Options options_;
  std::deque<double> maxima_;
  double scale_ = 1.0;
  int overflows_ = 0;
};

}  // namespace adze
