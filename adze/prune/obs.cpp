#include "adze/prune/obs.h"

#include <algorithm>

#include "adze/numerics/cholesky.h"

namespace adze::prune {

namespace {

/// Upper triangular U with Uᵀ U = (gram + damping)⁻¹: row i holds what a change of column i asks of later ones.
std::vector<double> inverse_factor(const Gram& gram, double damping) {
  const std::int64_t size = gram.columns;
  const std::vector<double> factor = damped_cholesky(gram.sums, size, damping);
  const std::vector<double> lower = damped_cholesky(cholesky_inverse(factor, size), size, 1e-12);
  std::vector<double> upper(static_cast<std::size_t>(size * size));
  for (std::int64_t row = 0; row < size; ++row) {
    for (std::int64_t column = 0; column <= row; ++column) {
      upper[static_cast<std::size_t>(column * size + row)] = lower[static_cast<std::size_t>(row * size + column)];
    }
  }
  return upper;
}

/// The mask of columns [begin, end) from the weights as they are now.
void choose_run(Mask& mask, const std::vector<double>& weights, const std::vector<double>& upper, const Layer& layer,
                const Pattern& pattern, double ratio, std::int64_t begin, std::int64_t end) {
  Layer run = layer;
  run.columns = end - begin;
  std::vector<double> scores(static_cast<std::size_t>(run.rows * run.columns));
  for (std::int64_t row = 0; row < run.rows; ++row) {
    for (std::int64_t column = begin; column < end; ++column) {
      const double w = weights[static_cast<std::size_t>(row * layer.columns + column)];
      const double d = upper[static_cast<std::size_t>(column * layer.columns + column)];
      scores[static_cast<std::size_t>(row * run.columns + column - begin)] = w * w / (d * d);
    }
  }
  const Mask chosen = choose_mask(scores, run, pattern, ratio);
  for (std::int64_t row = 0; row < run.rows; ++row) {
    std::copy_n(chosen.begin() + row * run.columns, run.columns, mask.begin() + row * layer.columns + begin);
  }
}

}  // namespace

Mask prune_by_obs(Graph& graph, const Layer& layer, const Gram& gram, const Pattern& pattern, double ratio,
                  double damping) {
  const std::vector<double> upper = inverse_factor(gram, damping);
  const std::vector<float> matrix = weight_matrix(graph, layer);
  std::vector<double> weights(matrix.begin(), matrix.end());
  Mask mask(weights.size(), 1);
  const std::int64_t columns = layer.columns;
  const std::int64_t run = 128 / pattern.columns > 0 ? 128 / pattern.columns * pattern.columns : pattern.columns;
  for (std::int64_t begin = 0; begin < columns; begin += run) {
    const std::int64_t end = std::min(begin + run, columns);
    choose_run(mask, weights, upper, layer, pattern, ratio, begin, end);
    for (std::int64_t column = begin; column < end; ++column) {
      const double* change = upper.data() + column * columns;
      for (std::int64_t row = 0; row < layer.rows; ++row) {
        double* w = weights.data() + row * columns;
        if (mask[static_cast<std::size_t>(row * columns + column)] != 0 || w[column] == 0) continue;
        const double error = w[column] / change[column];
        for (std::int64_t later = column; later < columns; ++later) w[later] -= error * change[later];
        w[column] = 0;
      }
    }
  }
  std::vector<float> result(weights.begin(), weights.end());
  set_weight_matrix(graph, layer, result);
  apply_mask(graph, layer, mask);
  return mask;
}

}  // namespace adze::prune
