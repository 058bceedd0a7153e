#include "adze/prune/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "adze/base/random.h"

namespace adze::prune {

namespace {

/// The layers of a network that is being trained, and their weights as they are now.
struct Watched {
  Watched(const Graph& network, const std::vector<std::string>& skip)
      : graph(network), layers(weight_layers(graph, skip)) {
    if (layers.empty()) throw ModelError("no weights of this network can be pruned");
  }
  const std::string& name(std::size_t layer) const { return graph.value(layers[layer].weight).name; }
  void read(train::Learner& learner) {
    for (std::size_t i = 0; i < layers.size(); ++i) graph.value(layers[i].weight).constant = learner.parameter(name(i));
  }
  void set_mask(train::Learner& learner, std::size_t i, const Mask& mask) const {
    const Layer& layer = layers[i];
    Tensor tensor(DType::Bool, graph.constant(layer.weight)->shape());
    for (std::int64_t at = 0; at < layer.rows * layer.columns; ++at) {
      const std::int64_t place = layer.transposed ? at % layer.columns * layer.rows + at / layer.columns : at;
      tensor.set_int(place, mask[static_cast<std::size_t>(at)]);
    }
    learner.set_mask(name(i), tensor);
  }

  Graph graph;
  std::vector<Layer> layers;
};

/// |w|, with what is 0 already before all else.
std::vector<double> magnitudes(const std::vector<float>& weights) {
  std::vector<double> scores(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) scores[i] = weights[i] == 0 ? -1 : std::abs(weights[i]);
  return scores;
}

double share(std::int64_t step, std::int64_t steps) {
  return static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps));
}

}  // namespace

double cubic_ratio(const MaskSchedule& schedule, double done) {
  if (done <= schedule.begin) return 0;
  const double t = std::min(1.0, (done - schedule.begin) / std::max(1e-9, schedule.end - schedule.begin));
  return schedule.ratio * (1 - std::pow(1 - t, 3));
}

namespace {

std::vector<std::vector<double>> gradual_scores(const MaskSchedule& schedule, const Watched& watched,
                                                const train::Learner& learner) {
  if (schedule.scores) {
    const Graph now = learner.graph();
    return schedule.scores(now, weight_layers(now, schedule.skip));
  }
  std::vector<std::vector<double>> scores;
  for (const Layer& layer : watched.layers) scores.push_back(magnitudes(weight_matrix(watched.graph, layer)));
  return scores;
}

}  // namespace

train::StepHook gradual_hook(const Graph& graph, const MaskSchedule& schedule) {
  auto watched = std::make_shared<Watched>(graph, schedule.skip);
  return [watched, schedule](train::Learner& learner, std::int64_t step, std::int64_t steps) {
    const bool last = share(step, steps) >= schedule.end && share(step - 1, steps) < schedule.end;
    if (!last && (step % schedule.interval != 0 || share(step, steps) > schedule.end)) return;
    const double ratio = cubic_ratio(schedule, share(step, steps));
    if (ratio <= 0) return;
    watched->read(learner);
    const std::vector<std::vector<double>> scores = gradual_scores(schedule, *watched, learner);
    if (schedule.by_layer) {
      for (std::size_t i = 0; i < scores.size(); ++i) {
        watched->set_mask(learner, i, choose_mask(scores[i], watched->layers[i], schedule.pattern, ratio));
      }
      return;
    }
    const auto masks = choose_masks(scores, watched->layers, schedule.pattern, ratio, schedule.max_ratio);
    for (std::size_t i = 0; i < masks.size(); ++i) watched->set_mask(learner, i, masks[i]);
  };
}

std::vector<double> erdos_renyi_ratios(std::span<const Layer> layers, double ratio) {
  std::vector<double> kept(layers.size());
  std::vector<bool> dense(layers.size());
  const auto raw = [&](const Layer& layer) {
    const double inputs = static_cast<double>(layer.columns) / static_cast<double>(layer.kernel);
    const double side = std::sqrt(static_cast<double>(layer.kernel));
    return (static_cast<double>(layer.rows) + inputs + 2 * side) /
           (static_cast<double>(layer.rows) * inputs * static_cast<double>(layer.kernel));
  };
  // Layers whose share would exceed all of their weights stay dense; the others share what is left.
  for (std::size_t again = 0; again <= layers.size(); ++again) {
    double wanted = 0, weighted = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto size = static_cast<double>(layers[i].rows * layers[i].columns);
      wanted += (1 - ratio) * size - (dense[i] ? size : 0);
      if (!dense[i]) weighted += raw(layers[i]) * size;
    }
    const double factor = weighted > 0 ? std::max(0.0, wanted) / weighted : 0;
    bool changed = false;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      kept[i] = dense[i] ? 1 : factor * raw(layers[i]);
      if (kept[i] > 1) dense[i] = changed = true;
    }
    if (!changed) break;
  }
  std::vector<double> ratios(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) ratios[i] = std::clamp(1 - kept[i], 0.0, 1.0);
  return ratios;
}

namespace {

class Regrowing {
 public:
  Regrowing(const Graph& graph, const RegrowSchedule& schedule) : watched_(graph, schedule.skip), schedule_(schedule) {
    for (const Layer& layer : watched_.layers) zeros_.push_back(zero_share(graph, layer));
    given_ = std::any_of(zeros_.begin(), zeros_.end(), [](double one) { return one > 0.01; });
    if (given_) return;
    zeros_ = schedule.by_layer ? std::vector<double>(watched_.layers.size(), schedule.ratio)
                               : erdos_renyi_ratios(watched_.layers, schedule.ratio);
  }

  void operator()(train::Learner& learner, std::int64_t step, std::int64_t steps) {
    if (step == 0) return begin(learner);
    if (step % schedule_.interval != 0 || share(step, steps) >= schedule_.end) return;
    const double done = share(step, steps) / schedule_.end;
    const double exchanged = schedule_.exchanged / 2 * (1 + std::cos(std::numbers::pi * done));
    watched_.read(learner);
    const auto gradients = learner.gradients(schedule_.batch(step));
    for (std::size_t i = 0; i < watched_.layers.size(); ++i) {
      if (zeros_[i] > 0) exchange(learner, i, gradients.at(watched_.name(i)), exchanged);
    }
  }

 private:
  void begin(train::Learner& learner) {
    watched_.read(learner);
    for (std::size_t i = 0; i < watched_.layers.size(); ++i) {
      const Layer& layer = watched_.layers[i];
      std::vector<double> scores = magnitudes(weight_matrix(watched_.graph, layer));
      if (!given_) {
        Random random = Random(schedule_.seed).split(i);
        for (double& score : scores) score = random.uniform();
      }
      watched_.set_mask(learner, i, choose_mask(scores, layer, {}, zeros_[i]));
    }
  }

  void exchange(train::Learner& learner, std::size_t i, const Tensor& gradient, double exchanged) {
    const Layer& layer = watched_.layers[i];
    const std::vector<float> weights = weight_matrix(watched_.graph, layer);
    const auto slopes = gradient.data<float>();
    const auto slope = [&](std::int64_t at) {
      const std::int64_t place = layer.transposed ? at % layer.columns * layer.rows + at / layer.columns : at;
      return std::abs(slopes[static_cast<std::size_t>(place)]);
    };
    const auto magnitude = [&](std::int64_t at) { return std::abs(weights[static_cast<std::size_t>(at)]); };
    std::vector<std::int64_t> used, unused;
    for (std::int64_t at = 0; at < layer.rows * layer.columns; ++at) {
      (magnitude(at) > 0 ? used : unused).push_back(at);
    }
    const auto kept = static_cast<std::int64_t>(std::llround((1 - zeros_[i]) * static_cast<double>(weights.size())));
    const auto staying = std::min<std::int64_t>(
        static_cast<std::int64_t>(std::floor((1 - exchanged) * static_cast<double>(used.size()))), kept);
    std::stable_sort(used.begin(), used.end(), [&](auto a, auto b) { return magnitude(a) > magnitude(b); });
    std::stable_sort(unused.begin(), unused.end(), [&](auto a, auto b) { return slope(a) > slope(b); });
    Mask mask(weights.size(), 0);
    for (std::int64_t k = 0; k < staying; ++k) mask[static_cast<std::size_t>(used[static_cast<std::size_t>(k)])] = 1;
    const std::int64_t grown = std::min<std::int64_t>(kept - staying, static_cast<std::int64_t>(unused.size()));
    for (std::int64_t k = 0; k < grown; ++k) mask[static_cast<std::size_t>(unused[static_cast<std::size_t>(k)])] = 1;
    watched_.set_mask(learner, i, mask);
  }

  Watched watched_;
  RegrowSchedule schedule_;
  std::vector<double> zeros_;
  bool given_ = false;
};

}  // namespace

train::StepHook regrow_hook(const Graph& graph, const RegrowSchedule& schedule) {
  auto regrowing = std::make_shared<Regrowing>(graph, schedule);
  return [regrowing](train::Learner& learner, std::int64_t step, std::int64_t steps) {
    (*regrowing)(learner, step, steps);
  };
}

train::StepHook both(train::StepHook first, train::StepHook second) {
  if (!first) return second;
  if (!second) return first;
  return [first = std::move(first), second = std::move(second)](train::Learner& learner, std::int64_t step,
                                                                std::int64_t steps) {
    first(learner, step, steps);
    second(learner, step, steps);
  };
}

}  // namespace adze::prune
