#include "adze/quantize/adaround.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"

namespace adze::quantize {

namespace {

constexpr float stretch_high = 1.1F, stretch_low = -0.1F;

float sigmoid(float v) {
  return 1 / (1 + std::exp(-v));
}

/// Adam over one list of numbers. Source  Kingma and Ba, arXiv:1412.6980
class Adam {
 public:
  Adam(std::size_t count, double rate) : rate_(rate), mean_(count, 0.0F), square_(count, 0.0F) {}
  void begin_step() {
    ++steps_;
    rate_now_ = static_cast<float>(rate_ * std::sqrt(1 - std::pow(0.999, steps_)) / (1 - std::pow(0.9, steps_)));
  }
  void step(std::size_t i, float& value, float gradient) {
    mean_[i] = 0.9F * mean_[i] + 0.1F * gradient;
    square_[i] = 0.999F * square_[i] + 0.001F * gradient * gradient;
    value -= rate_now_ * mean_[i] / (std::sqrt(square_[i]) + 1e-8F);
  }

 private:
  double rate_;
  int steps_ = 0;
  float rate_now_ = 0;
  std::vector<float> mean_, square_;
};

class Learner {
 public:
  Learner(const RoundingProblem& problem, const AdaRoundOptions& options, std::uint64_t seed)
      : problem_(problem),
        options_(options),
        random_(seed),
        batch_(std::min<std::int64_t>(options.batch_rows, problem.rows->count)),
        adam_(problem.weights.size(), options.learning_rate) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::int64_t groups = problem.groups;
    forward_ =
        kernels::make_gemm_f32({groups, batch_, problem.inputs, problem.outputs, -infinity, infinity}, machine_isa());
    backward_ =
        kernels::make_gemm_f32({groups, problem.inputs, batch_, problem.outputs, -infinity, infinity}, machine_isa());
    rows_.resize(static_cast<std::size_t>(groups * batch_ * problem.inputs));
    columns_.resize(rows_.size());
    outputs_.resize(static_cast<std::size_t>(groups * batch_ * problem.outputs));
    weights_.resize(problem.weights.size());
    gradient_.resize(problem.weights.size());
    start();
  }

  std::vector<float> learn() {
    for (int iteration = 0; iteration < options_.iterations; ++iteration) {
      if (iteration % 64 == 0) check_cancelled();
      draw_rows();
      soften();
      forward_->run(rows_.data(), weights_.data(), outputs_.data());
      differentiate_outputs();
      backward_->run(columns_.data(), outputs_.data(), gradient_.data());
      update(iteration);
    }
    std::vector<float> codes(floor_.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = std::clamp(floor_[i] + (rectified(variables_[i]) >= 0.5F ? 1.0F : 0.0F), problem_.low, problem_.high);
    }
    return codes;
  }

 private:
  static float rectified(float v) {
    return std::clamp(sigmoid(v) * (stretch_high - stretch_low) + stretch_low, 0.0F, 1.0F);
  }

  /// h(V) starts at the weights' own fractions; the pull's weight is set against the mean of s²·E[x²].
  void start() {
    const std::size_t count = problem_.weights.size();
    floor_.resize(count);
    variables_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const float steps = problem_.weights[i] / problem_.scales[i];
      floor_[i] = std::floor(steps);
      const float share =
          std::clamp((steps - floor_[i] - stretch_low) / (stretch_high - stretch_low), 1e-4F, 1 - 1e-4F);
      variables_[i] = std::log(share / (1 - share));
    }
    double stiffness = 0;
    for (std::int64_t group = 0; group < problem_.groups; ++group) {
      std::vector<double> squares(static_cast<std::size_t>(problem_.inputs), 0.0);
      for (std::int64_t row = 0; row < problem_.rows->count; ++row) {
        const float* x = problem_.rows->row(group, row);
        for (std::size_t i = 0; i < squares.size(); ++i) squares[i] += static_cast<double>(x[i]) * x[i];
      }
      for (std::int64_t input = 0; input < problem_.inputs; ++input) {
        for (std::int64_t output = 0; output < problem_.outputs; ++output) {
          const double scale = problem_.scales[problem_.at(group, input, output)];
          stiffness +=
              scale * scale * squares[static_cast<std::size_t>(input)] / static_cast<double>(problem_.rows->count);
        }
      }
    }
    stiffness /= static_cast<double>(count);
    pull_ = static_cast<float>(options_.regularization * stiffness);
  }

  void draw_rows() {
    const std::int64_t n = problem_.inputs;
    chosen_.clear();
    for (std::int64_t i = 0; i < batch_; ++i) {
      chosen_.push_back(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(problem_.rows->count))));
    }
    for (std::int64_t group = 0; group < problem_.groups; ++group) {
      float* rows = rows_.data() + group * batch_ * n;
      float* columns = columns_.data() + group * batch_ * n;
      for (std::int64_t row = 0; row < batch_; ++row) {
        const float* from = problem_.rows->row(group, chosen_[static_cast<std::size_t>(row)]);
        std::copy_n(from, n, rows + row * n);
        for (std::int64_t i = 0; i < n; ++i) columns[i * batch_ + row] = from[i];
      }
    }
  }

  void soften() {
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      weights_[i] = problem_.scales[i] * std::clamp(floor_[i] + rectified(variables_[i]), problem_.low, problem_.high);
    }
  }

  /// Outputs become the derivative of the error with respect to them.
  void differentiate_outputs() {
    const float factor = 2.0F / static_cast<float>(batch_);
    const std::int64_t count = problem_.outputs;
    float* at = outputs_.data();
    for (std::int64_t group = 0; group < problem_.groups; ++group) {
      const float* bias = problem_.bias.empty() ? nullptr : problem_.bias.data() + group * count;
      for (const std::int64_t row : chosen_) {
        const float* target = problem_.targets.data() + (group * problem_.rows->count + row) * count;
        for (std::int64_t output = 0; output < count; ++output, ++at) {
          const float own = *at + (bias != nullptr ? bias[output] : 0);
          const float low = problem_.activation_low, high = problem_.activation_high;
          const float error = std::clamp(own, low, high) - std::clamp(target[output], low, high);
          *at = own < low || own > high ? 0 : factor * error;
        }
      }
    }
  }

  void update(int iteration) {
    const double done = static_cast<double>(iteration) / options_.iterations;
    const bool warm = done < options_.warm_start;
    const double progress = warm ? 0 : (done - options_.warm_start) / (1 - options_.warm_start);
    // Cosine, as in the authors' description of annealing from 20 to 2.
    const double beta = options_.last_beta +
                        (options_.first_beta - options_.last_beta) * (1 + std::cos(progress * std::numbers::pi)) / 2;
    const auto power = static_cast<float>(beta - 1), weight = static_cast<float>(pull_ * beta * 2);
    adam_.begin_step();
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const float share = sigmoid(variables_[i]);
      const float h = share * (stretch_high - stretch_low) + stretch_low;
      if (h <= 0 || h >= 1) continue;  // settled: the rectifier lets no gradient through
      const float code = floor_[i] + h;
      float slope = code < problem_.low || code > problem_.high ? 0 : gradient_[i] * problem_.scales[i];
      if (!warm) {
        const float side = 2 * h - 1;
        const float steep = weight * std::pow(std::abs(side), power);
        slope += side > 0 ? -steep : steep;
      }
      adam_.step(i, variables_[i], slope * share * (1 - share) * (stretch_high - stretch_low));
    }
  }

  const RoundingProblem& problem_;
  const AdaRoundOptions& options_;
  Random random_;
  std::int64_t batch_;
  Adam adam_;
  std::unique_ptr<kernels::GemmF32> forward_, backward_;
  std::vector<float> floor_, variables_, weights_, gradient_;
  std::vector<float> rows_, columns_, outputs_;  ///< of the batch; columns_ are the rows transposed
  std::vector<std::int64_t> chosen_;
  float pull_ = 0;
};

}  // namespace

std::vector<float> adaround_codes(const RoundingProblem& problem, const AdaRoundOptions& options, std::uint64_t seed) {
  return Learner(problem, options, seed).learn();
}

}  // namespace adze::quantize
