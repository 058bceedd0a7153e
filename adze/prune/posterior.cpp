#include "adze/prune/posterior.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "adze/base/random.h"
#include "adze/base/text.h"

namespace adze::prune {

namespace {

/// d(KL divergence from the log-uniform prior) / d(log alpha), negative everywhere.
double prior_slope(double log_alpha) {
  constexpr double k1 = 0.63576, k2 = 1.87320, k3 = 1.48695;
  const double s = 1 / (1 + std::exp(-(k2 + k3 * log_alpha)));
  return -k1 * k3 * s * (1 - s) - 0.5 / (1 + std::exp(log_alpha));
}

/// log alpha where ½ · pull · alpha, the slope of the expected loss, meets the prior's.
double balanced_rate(double pull) {
  double low = -30, high = 10;
  for (int step = 0; step < 40; ++step) {
    const double middle = (low + high) / 2;
    (0.5 * pull * std::exp(middle) + prior_slope(middle) < 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

double sample_count(const GradientSource& source, const PosteriorOptions& options) {
  constexpr double usual_batch = 16;
  return options.samples > 0 ? options.samples : usual_batch * static_cast<double>(source.num_batches());
}

const Tensor& gradient_of(const std::map<std::string, Tensor>& gradients, const std::string& name) {
  const auto found = gradients.find(name);
  if (found == gradients.end()) throw UsageError(cat("no gradient of ", adze::quoted(name), " is known"));
  return found->second;
}

}  // namespace

std::map<ValueId, std::vector<double>> dropout_rates(const Graph& graph, std::span<const Layer> layers,
                                                     GradientSource& source, const PosteriorOptions& options,
                                                     ProgressSink& progress) {
  std::map<ValueId, std::vector<double>> rates;
  for (const Layer& layer : layers) {
    rates[layer.weight].assign(static_cast<std::size_t>(graph.constant(layer.weight)->size()), -6.0);
  }
  Random random(options.seed);
  ProgressPhase phase(progress, "dropout rates", options.passes * source.num_batches(), "batches");
  for (std::int64_t pass = 0; pass < options.passes; ++pass) {
    std::map<ValueId, std::vector<double>> squares;
    for (std::int64_t batch = 0; batch < source.num_batches(); ++batch) {
      check_cancelled();
      for (const auto& [weight, log_alpha] : rates) {
        Tensor drawn = *graph.constant(weight);
        const auto values = drawn.mutable_data<float>();
        for (std::size_t i = 0; i < values.size(); ++i) {
          // Weights of no use would drown the others in noise while the first rates are still guesses.
          const double spread = std::exp(0.5 * std::min(log_alpha[i], 0.0));
          values[i] *= static_cast<float>(1 + spread * random.normal());
        }
        source.set_weight(graph.value(weight).name, drawn);
      }
      const auto gradients = source.gradients(batch);
      for (const auto& [weight, log_alpha] : rates) {
        auto& sums = squares[weight];
        sums.resize(log_alpha.size());
        const auto values = gradient_of(gradients, graph.value(weight).name).data<float>();
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(values[i]) * values[i];
      }
      phase.advance();
    }
    const double factor = sample_count(source, options) / static_cast<double>(source.num_batches());
    for (auto& [weight, log_alpha] : rates) {
      const auto values = graph.constant(weight)->data<float>();
      for (std::size_t i = 0; i < log_alpha.size(); ++i) {
        log_alpha[i] = balanced_rate(factor * squares[weight][i] * values[i] * values[i]);
      }
    }
  }
  for (const auto& [weight, log_alpha] : rates) source.set_weight(graph.value(weight).name, *graph.constant(weight));
  return rates;
}

std::vector<std::vector<Gated>> unit_gates(const Graph& graph, const Groups& groups, std::span<const Layer> layers) {
  std::vector<std::vector<Gated>> gates;
  for (const Group& group : groups.groups) {
    const std::size_t first = gates.size();
    gates.resize(first + static_cast<std::size_t>(group.size));
    for (const Member& member : group.members) {
      const bool produces = std::any_of(member.roles.begin(), member.roles.end(),
                                        [](const RoleEntry& role) { return role.role == Role::Produces; });
      const bool is_layer =
          std::any_of(layers.begin(), layers.end(), [&](const Layer& l) { return l.weight == member.value; });
      if (!member.constant || !produces || !is_layer) continue;
      const Tensor& weight = *graph.constant(member.value);
      const std::int64_t stride = row_major_strides(weight.shape())[static_cast<std::size_t>(member.axis)];
      const std::int64_t columns = weight.dim(member.axis), outer = weight.size() / (columns * stride);
      for (std::int64_t unit = 0; unit < group.size; ++unit) {
        Gated gated{member.value, {}};
        for (const std::int64_t index : member.of(unit)) {
          for (std::int64_t o = 0; o < outer; ++o) {
            for (std::int64_t i = 0; i < stride; ++i) gated.elements.push_back((o * columns + index) * stride + i);
          }
        }
        gates[first + static_cast<std::size_t>(unit)].push_back(std::move(gated));
      }
    }
  }
  return gates;
}

std::vector<std::vector<Gated>> weight_gates(std::span<const Layer> layers) {
  std::vector<std::vector<Gated>> gates;
  for (const Layer& layer : layers) {
    for (std::int64_t i = 0; i < layer.rows * layer.columns; ++i) gates.push_back({{layer.weight, {i}}});
  }
  return gates;
}

namespace {

/// Gates being learned: log alpha of each, by Adam.
class Gates {
 public:
  Gates(const Graph& graph, const std::vector<std::vector<Gated>>& gates, GradientSource& source, std::uint64_t seed)
      : graph_(graph),
        gates_(gates),
        source_(source),
        random_(seed),
        values_(gates.size(), 1.0),
        log_alpha_(gates.size(), 2.0),
        mean_(gates.size()),
        square_(gates.size()) {
    for (const auto& gate : gates) {
      for (const Gated& one : gate) weights_.insert(one.weight);
    }
  }

  /// Draws the gates; remembers d(gate)/d(log alpha).
  void draw() {
    slopes_.assign(values_.size(), 0.0);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double u = random_.uniform(1e-6, 1 - 1e-6);
      const double s = 1 / (1 + std::exp(-(std::log(u / (1 - u)) + log_alpha_[i]) / temperature));
      const double stretched = s * (high - low) + low;
      values_[i] = std::clamp(stretched, 0.0, 1.0);
      if (stretched > 0 && stretched < 1) slopes_[i] = s * (1 - s) / temperature * (high - low);
    }
  }

  /// dL/d(gate) of a batch at the gates as they are.
  std::vector<double> gradients(std::int64_t batch) {
    std::map<ValueId, Tensor> gated;
    for (const ValueId weight : weights_) gated.emplace(weight, *graph_.constant(weight));
    for (std::size_t i = 0; i < gates_.size(); ++i) {
      for (const Gated& one : gates_[i]) {
        const auto data = gated.at(one.weight).mutable_data<float>();
        for (const std::int64_t e : one.elements) data[static_cast<std::size_t>(e)] *= static_cast<float>(values_[i]);
      }
    }
    for (const auto& [weight, tensor] : gated) source_.set_weight(graph_.value(weight).name, tensor);
    const auto found = source_.gradients(batch);
    std::vector<double> sums(gates_.size());
    for (std::size_t i = 0; i < gates_.size(); ++i) {
      for (const Gated& one : gates_[i]) {
        const auto slope = gradient_of(found, graph_.value(one.weight).name).data<float>();
        const auto weights = graph_.constant(one.weight)->data<float>();
        for (const std::int64_t e : one.elements) {
          sums[i] += static_cast<double>(slope[static_cast<std::size_t>(e)]) * weights[static_cast<std::size_t>(e)];
        }
      }
    }
    return sums;
  }

  void step(const std::vector<double>& gradients, double price) {
    constexpr double rate = 0.05, beta1 = 0.9, beta2 = 0.99;
    ++steps_;
    for (std::size_t i = 0; i < log_alpha_.size(); ++i) {
      const double open = 1 / (1 + std::exp(-(log_alpha_[i] - temperature * std::log(-low / high))));
      const double slope = gradients[i] * slopes_[i] + price * open * (1 - open);
      mean_[i] = beta1 * mean_[i] + (1 - beta1) * slope;
      square_[i] = beta2 * square_[i] + (1 - beta2) * slope * slope;
      const double m = mean_[i] / (1 - std::pow(beta1, steps_)), v = square_[i] / (1 - std::pow(beta2, steps_));
      log_alpha_[i] = std::clamp(log_alpha_[i] - rate * m / (std::sqrt(v) + 1e-12), -12.0, 12.0);
    }
  }

  void restore() {
    for (const ValueId weight : weights_) source_.set_weight(graph_.value(weight).name, *graph_.constant(weight));
  }
  const std::vector<double>& log_alpha() const { return log_alpha_; }

 private:
  static constexpr double temperature = 2.0 / 3, low = -0.1, high = 1.1;

  const Graph& graph_;
  const std::vector<std::vector<Gated>>& gates_;
  GradientSource& source_;
  Random random_;
  std::set<ValueId> weights_;
  std::vector<double> values_, log_alpha_, mean_, square_, slopes_;
  int steps_ = 0;
};

}  // namespace

std::vector<double> open_gates(const Graph& graph, const std::vector<std::vector<Gated>>& gates, GradientSource& source,
                               const PosteriorOptions& options, ProgressSink& progress) {
  Gates learned(graph, gates, source, options.seed);
  double price = 0;
  std::size_t counted = 0;
  for (std::int64_t batch = 0; batch < source.num_batches(); ++batch) {
    for (const double slope : learned.gradients(batch)) {
      price += std::abs(slope);
      ++counted;
    }
  }
  price /= static_cast<double>(std::max<std::size_t>(1, counted));
  const std::int64_t batches = std::max<std::int64_t>(1, source.num_batches());
  const std::int64_t passes = std::max(options.passes, (options.least_steps + batches - 1) / batches);
  ProgressPhase phase(progress, "gates", passes * batches, "batches");
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    for (std::int64_t batch = 0; batch < source.num_batches(); ++batch) {
      check_cancelled();
      learned.draw();
      learned.step(learned.gradients(batch), price);
      phase.advance();
    }
  }
  learned.restore();
  return learned.log_alpha();
}

}  // namespace adze::prune
