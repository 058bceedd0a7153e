#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/quantize/method_options.h"

namespace adze::quantize {

/// The weights of one layer between two codes each: w̃ = s·clip(⌊w/s⌋ + h(V), low, high) with the rectified sigmoid
/// h(V) = clip(1.2·σ(V) - 0.1, 0, 1). V is moved by Adam along a gradient given from outside, plus a pull of h to 0 or
/// 1, Σ 1 - |2h - 1|^β, whose β falls from 20 to 2 after a warm start.
/// Source  Nagel et al., Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv:2004.10568, eq. 22-25
class SoftRounding {
 public:
  /// h starts at the weights' own fractions. pull: weight of the pull, in units of the loss.
  SoftRounding(std::span<const float> weights, std::span<const float> scales, float low, float high, double pull,
               const AdaRoundOptions& options, int iterations);

  std::size_t size() const { return floor_.size(); }
  /// w̃ as it stands.
  void soften(std::span<float> weights) const;
  /// gradient: of the loss by w̃.
  void update(int iteration, std::span<const float> gradient);
  /// Up where h has passed one half.
  std::vector<float> codes() const;

 private:
  const AdaRoundOptions& options_;
  std::span<const float> scales_;
  float low_, high_;
  double pull_;
  int iterations_, steps_ = 0;
  std::vector<float> floor_, variables_, mean_, square_;  ///< the last two: Adam's moments
};

}  // namespace adze::quantize
