#include "adze/quantize/adaround.h"

#include <algorithm>

#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/quantize/soft_rounding.h"

namespace adze::quantize {

namespace {

class Learner {
 public:
  Learner(const RoundingProblem& problem, const AdaRoundOptions& options, std::uint64_t seed)
      : problem_(problem),
        options_(options),
        random_(seed),
        batch_(std::min<std::int64_t>(options.batch_rows, problem.rows->count)),
        rounding_(problem.weights, problem.scales, problem.low, problem.high, pull_of(problem, options), options,
                  options.iterations) {
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
  }

  std::vector<float> learn() {
    for (int iteration = 0; iteration < options_.iterations; ++iteration) {
      if (iteration % 64 == 0) check_cancelled();
      draw_rows();
      rounding_.soften(weights_);
      forward_->run(rows_.data(), weights_.data(), outputs_.data());
      differentiate_outputs();
      backward_->run(columns_.data(), outputs_.data(), gradient_.data());
      rounding_.update(iteration, gradient_);
    }
    return rounding_.codes();
  }

 private:
  /// The mean of s²·E[x²]: what one rounding costs.
  static double pull_of(const RoundingProblem& problem, const AdaRoundOptions& options) {
    double stiffness = 0;
    for (std::int64_t group = 0; group < problem.groups; ++group) {
      std::vector<double> squares(static_cast<std::size_t>(problem.inputs), 0.0);
      for (std::int64_t row = 0; row < problem.rows->count; ++row) {
        const float* x = problem.rows->row(group, row);
        for (std::size_t i = 0; i < squares.size(); ++i) squares[i] += static_cast<double>(x[i]) * x[i];
      }
      for (std::int64_t input = 0; input < problem.inputs; ++input) {
        for (std::int64_t output = 0; output < problem.outputs; ++output) {
          const double scale = problem.scales[problem.at(group, input, output)];
          stiffness +=
              scale * scale * squares[static_cast<std::size_t>(input)] / static_cast<double>(problem.rows->count);
        }
      }
    }
    return options.regularization * stiffness / static_cast<double>(problem.weights.size());
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

  const RoundingProblem& problem_;
  const AdaRoundOptions& options_;
  Random random_;
  std::int64_t batch_;
  SoftRounding rounding_;
  std::unique_ptr<kernels::GemmF32> forward_, backward_;
  std::vector<float> weights_, gradient_;
  std::vector<float> rows_, columns_, outputs_;  ///< of the batch; columns_ are the rows transposed
  std::vector<std::int64_t> chosen_;
};

}  // namespace

std::vector<float> adaround_codes(const RoundingProblem& problem, const AdaRoundOptions& options, std::uint64_t seed) {
  return Learner(problem, options, seed).learn();
}

}  // namespace adze::quantize
