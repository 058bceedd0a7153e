#include <algorithm>
#include <cmath>
#include <numeric>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/prune/criteria.h"

namespace adze::prune {

namespace {

/// Everything that a criterion of weights sees.
struct View {
  const Graph& graph;
  const Layer& layer;
  const Statistics& statistics;
  std::vector<float> weights;  ///< rows × columns
};

using Scorer = std::vector<double> (*)(const View&);

template <typename F>
std::vector<double> each(const View& view, const F& score) {
  std::vector<double> scores(view.weights.size());
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = score(static_cast<double>(view.weights[i]));
  return scores;
}

std::vector<double> magnitude(const View& view) {
  return each(view, [](double w) { return std::abs(w); });
}

std::vector<double> square(const View& view) {
  return each(view, [](double w) { return w * w; });
}

std::vector<double> lamp(const View& view) {
  std::vector<double> scores = square(view);
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double sum = 0;
  for (const std::size_t i : order) {
    sum += scores[i];
    if (sum > 0) scores[i] /= sum;
  }
  return scores;
}

std::vector<double> random(const View& view) {
  Random generator = Random(view.statistics.seed).split(static_cast<std::uint64_t>(view.layer.weight));
  return each(view, [&](double) { return generator.uniform(); });
}

std::vector<double> wanda(const View& view) {
  const auto found = view.statistics.activity.find({view.layer.input, view.layer.input_axis});
  if (found == view.statistics.activity.end()) {
    throw UsageError(cat("no activations were measured in front of ", view.graph.node(view.layer.node).name));
  }
  std::vector<double> scores = magnitude(view);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) / view.layer.columns;
    const std::int64_t channel = view.layer.input_channel(row, static_cast<std::int64_t>(i) % view.layer.columns);
    scores[i] *= std::sqrt(found->second.sum_square[static_cast<std::size_t>(channel)]);
  }
  return scores;
}

/// Recurrent weights on the state have no measured input: their magnitude.
std::vector<double> wanda_or_magnitude(const View& view) {
  return view.layer.input == ValueId::None ? magnitude(view) : wanda(view);
}

/// A tensor shaped like the weights, as rows × columns.
std::vector<double> as_matrix(const View& view, const Tensor& tensor) {
  const auto data = tensor.data<float>();
  std::vector<double> matrix(data.size());
  const std::int64_t rows = view.layer.rows, columns = view.layer.columns;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const std::int64_t place = view.layer.transposed ? i % columns * rows + i / columns : i;
    matrix[static_cast<std::size_t>(i)] = data[static_cast<std::size_t>(place)];
  }
  return matrix;
}

struct GradientMoments {
  std::vector<double> mean, mean_square;
};

GradientMoments moments(const View& view) {
  const auto found = view.statistics.gradients.find(view.layer.weight);
  if (found == view.statistics.gradients.end() || found->second.empty()) {
    throw UsageError(cat("no gradients were measured for ", view.graph.value(view.layer.weight).name));
  }
  GradientMoments result;
  result.mean.resize(view.weights.size());
  result.mean_square.resize(view.weights.size());
  const double share = 1.0 / static_cast<double>(found->second.size());
  for (const Tensor& gradient : found->second) {
    const std::vector<double> values = as_matrix(view, gradient);
    for (std::size_t i = 0; i < values.size(); ++i) {
      result.mean[i] += share * values[i];
      result.mean_square[i] += share * values[i] * values[i];
    }
  }
  return result;
}

std::vector<double> gradient(const View& view) {
  std::vector<double> scores = moments(view).mean;
  for (double& score : scores) score = std::abs(score);
  return scores;
}

/// (w dL/dw)² of each batch, averaged: the mean over batches would be near 0 where training ended.
std::vector<double> taylor(const View& view) {
  std::vector<double> scores = moments(view).mean_square;
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] *= view.weights[i] * view.weights[i];
  return scores;
}

/// (w dL/dw - ½ h w²)² of each batch, averaged, h the mean squared gradient.
std::vector<double> second_taylor(const View& view) {
  const GradientMoments g = moments(view);
  std::vector<double> scores(g.mean.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double w = view.weights[i];
    const double h = g.mean_square[i];
    scores[i] = w * w * (h - h * w * g.mean[i] + 0.25 * h * h * w * w);
  }
  return scores;
}

std::vector<double> fisher(const View& view) {
  std::vector<double> scores = moments(view).mean_square;
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] *= 0.5 * view.weights[i] * view.weights[i];
  return scores;
}

std::vector<double> movement(const View& view) {
  const auto found = view.statistics.start.find(view.layer.weight);
  if (found == view.statistics.start.end()) {
    throw UsageError(cat("the start of ", view.graph.value(view.layer.weight).name, " is not known"),
                     "--start names the network before training");
  }
  std::vector<double> scores = as_matrix(view, found->second);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = 0.5 * (static_cast<double>(view.weights[i]) * view.weights[i] - scores[i] * scores[i]);
  }
  return scores;
}

/// Learned for every element of the tensor; sign: small scores go.
std::vector<double> learned(const View& view, const std::map<ValueId, std::vector<double>>& rates, double sign) {
  const auto found = rates.find(view.layer.weight);
  if (found == rates.end()) {
    throw UsageError(cat("nothing was learned about ", view.graph.value(view.layer.weight).name));
  }
  std::vector<double> scores(found->second.size());
  const std::int64_t rows = view.layer.rows, columns = view.layer.columns;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const std::int64_t place = view.layer.transposed ? i % columns * rows + i / columns : i;
    scores[static_cast<std::size_t>(i)] = sign * found->second[static_cast<std::size_t>(place)];
  }
  return scores;
}

/// Shifted so that none is negative: sums over units and layers compare.
std::vector<double> dropout_rate(const View& view) {
  std::vector<double> scores = learned(view, view.statistics.dropout_rates, -1);
  constexpr double highest_rate = 10;
  for (double& score : scores) score += highest_rate;
  return scores;
}

std::vector<double> gate(const View& view) {
  return learned(view, view.statistics.gates, 1);
}

Scorer scorer_of(Criterion criterion) {
  switch (criterion) {
    case Criterion::L1:
      return magnitude;
    case Criterion::L2:
      return square;
    case Criterion::Lamp:
      return lamp;
    case Criterion::Random:
      return random;
    case Criterion::Wanda:
      return wanda_or_magnitude;
    case Criterion::Gradient:
      return gradient;
    case Criterion::Taylor:
      return taylor;
    case Criterion::SecondTaylor:
      return second_taylor;
    case Criterion::Fisher:
      return fisher;
    case Criterion::Movement:
      return movement;
    case Criterion::DropoutRate:
      return dropout_rate;
    case Criterion::Gate:
      return gate;
    default:
      return nullptr;
  }
}

}  // namespace

std::vector<double> weight_scores(Criterion criterion, const Graph& graph, const Layer& layer,
                                  const Statistics& statistics) {
  const Scorer scorer = scorer_of(criterion);
  if (scorer == nullptr) {
    throw UsageError(cat("criterion ", criterion_info(criterion).name, " scores whole channels, not single weights"),
                     "--unit channels");
  }
  return scorer({graph, layer, statistics, weight_matrix(graph, layer)});
}

}  // namespace adze::prune
