#include "adze/prune/reconstruct.h"

#include <algorithm>

#include "adze/numerics/cholesky.h"

namespace adze::prune {

namespace {

bool consumes(const Member& member) {
  return member.constant && std::any_of(member.roles.begin(), member.roles.end(),
                                        [](const RoleEntry& role) { return role.role == Role::Consumes; });
}

/// Columns of each consuming weight that go.
std::map<ValueId, std::vector<bool>> lost_columns(const Groups& groups, std::span<const Selection> selections,
                                                  std::span<const Layer> layers) {
  std::map<ValueId, std::vector<bool>> lost;
  for (const Selection& selection : selections) {
    for (const Member& member : groups.groups.at(selection.group).members) {
      const auto layer =
          std::find_if(layers.begin(), layers.end(), [&](const Layer& one) { return one.weight == member.value; });
      if (layer == layers.end() || !consumes(member) || member.axis != layer->column_axis) continue;
      auto& columns = lost[member.value];
      columns.resize(static_cast<std::size_t>(layer->columns));
      for (const std::int64_t unit : selection.units) {
        for (const std::int64_t channel : member.of(unit)) {
          for (std::int64_t k = 0; k < layer->kernel; ++k) {
            columns[static_cast<std::size_t>(channel * layer->kernel + k)] = true;
          }
        }
      }
    }
  }
  return lost;
}

std::vector<double> kept_part(const Gram& gram, std::span<const std::int64_t> kept) {
  std::vector<double> part;
  part.reserve(kept.size() * kept.size());
  for (const std::int64_t row : kept) {
    for (const std::int64_t column : kept)
      part.push_back(gram.sums[static_cast<std::size_t>(row * gram.columns + column)]);
  }
  return part;
}

void reconstruct(Graph& graph, const Layer& layer, const Gram& gram, const std::vector<bool>& lost, double damping) {
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < layer.columns; ++i) {
    if (!lost[static_cast<std::size_t>(i)]) kept.push_back(i);
  }
  const auto size = static_cast<std::int64_t>(kept.size());
  const std::vector<double> factor = damped_cholesky(kept_part(gram, kept), size, damping);
  const auto mean = [&] {
    double sum = 0;
    for (const std::int64_t i : kept) sum += gram.sums[static_cast<std::size_t>(i * gram.columns + i)];
    return sum / static_cast<double>(size);
  }();
  std::vector<float> matrix = weight_matrix(graph, layer);
  std::vector<double> solution(kept.size());
  for (std::int64_t row = 0; row < layer.rows; ++row) {
    const std::span<float> weights = std::span(matrix).subspan(static_cast<std::size_t>(row * layer.columns),
                                                               static_cast<std::size_t>(layer.columns));
    // The damping pulls towards the old weights, not towards 0: with enough of it nothing changes.
    for (std::int64_t i = 0; i < size; ++i) {
      double sum = damping * mean * weights[static_cast<std::size_t>(kept[static_cast<std::size_t>(i)])];
      const double* sums = gram.sums.data() + kept[static_cast<std::size_t>(i)] * gram.columns;
      for (std::int64_t j = 0; j < layer.columns; ++j) sum += sums[j] * weights[static_cast<std::size_t>(j)];
      solution[static_cast<std::size_t>(i)] = sum;
    }
    cholesky_solve(factor, size, solution);
    std::fill(weights.begin(), weights.end(), 0.0F);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      weights[static_cast<std::size_t>(kept[i])] = static_cast<float>(solution[i]);
    }
  }
  set_weight_matrix(graph, layer, matrix);
}

}  // namespace

int reconstruct_consumers(Graph& graph, const Groups& groups, std::span<const Selection> selections,
                          std::span<const Layer> layers, const std::map<ValueId, Gram>& grams, double damping) {
  int changed = 0;
  for (const auto& [weight, lost] : lost_columns(groups, selections, layers)) {
    const auto gram = grams.find(weight);
    if (gram == grams.end() || std::find(lost.begin(), lost.end(), true) == lost.end()) continue;
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.weight == weight; });
    reconstruct(graph, *layer, gram->second, lost, damping);
    ++changed;
  }
  return changed;
}

}  // namespace adze::prune
