#include "adze/quantize/soft_rounding.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adze::quantize {

namespace {

constexpr float stretch_high = 1.1F, stretch_low = -0.1F;

float sigmoid(float v) {
  return 1 / (1 + std::exp(-v));
}

float rectified(float v) {
  return std::clamp(sigmoid(v) * (stretch_high - stretch_low) + stretch_low, 0.0F, 1.0F);
}

}  // namespace

SoftRounding::SoftRounding(std::span<const float> weights, std::span<const float> scales, float low, float high,
                           double pull, const AdaRoundOptions& options, int iterations)
    : options_(options),
      scales_(scales),
      low_(low),
      high_(high),
      pull_(pull),
      iterations_(iterations),
      floor_(weights.size()),
      variables_(weights.size()),
      mean_(weights.size(), 0.0F),
      square_(weights.size(), 0.0F) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float steps = weights[i] / scales[i];
    floor_[i] = std::floor(steps);
    const float share = std::clamp((steps - floor_[i] - stretch_low) / (stretch_high - stretch_low), 1e-4F, 1 - 1e-4F);
    variables_[i] = std::log(share / (1 - share));
    if (weights[i] == 0) variables_[i] = std::log(1e-4F);  // h is 0 and settled: zeros of pruned networks stay
  }
}

void SoftRounding::soften(std::span<float> weights) const {
  for (std::size_t i = 0; i < floor_.size(); ++i) {
    weights[i] = scales_[i] * std::clamp(floor_[i] + rectified(variables_[i]), low_, high_);
  }
}

void SoftRounding::update(int iteration, std::span<const float> gradient) {
  const double done = static_cast<double>(iteration) / iterations_;
  const bool warm = done < options_.warm_start;
  const double progress = warm ? 0 : (done - options_.warm_start) / (1 - options_.warm_start);
  // Cosine, as in the authors' description of annealing from 20 to 2.
  const double beta =
      options_.last_beta + (options_.first_beta - options_.last_beta) * (1 + std::cos(progress * std::numbers::pi)) / 2;
  const auto power = static_cast<float>(beta - 1), weight = static_cast<float>(pull_ * beta * 2);
  ++steps_;
  // Source  Adam: Kingma and Ba, arXiv:1412.6980
  const auto rate =
      static_cast<float>(options_.learning_rate * std::sqrt(1 - std::pow(0.999, steps_)) / (1 - std::pow(0.9, steps_)));
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const float share = sigmoid(variables_[i]);
    const float h = share * (stretch_high - stretch_low) + stretch_low;
    if (h <= 0 || h >= 1) continue;  // settled: the rectifier lets no gradient through
    const float code = floor_[i] + h;
    float slope = code < low_ || code > high_ ? 0 : gradient[i] * scales_[i];
    if (!warm) {
      const float side = 2 * h - 1;
      const float steep = weight * std::pow(std::abs(side), power);
      slope += side > 0 ? -steep : steep;
    }
    slope *= share * (1 - share) * (stretch_high - stretch_low);
    mean_[i] = 0.9F * mean_[i] + 0.1F * slope;
    square_[i] = 0.999F * square_[i] + 0.001F * slope * slope;
    variables_[i] -= rate * mean_[i] / (std::sqrt(square_[i]) + 1e-8F);
  }
}

std::vector<float> SoftRounding::codes() const {
  std::vector<float> codes(floor_.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = std::clamp(floor_[i] + (rectified(variables_[i]) >= 0.5F ? 1.0F : 0.0F), low_, high_);
  }
  return codes;
}

}  // namespace adze::quantize
