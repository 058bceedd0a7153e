#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/prune/coupling.h"
#include "adze/prune/groups.h"
#include "adze/prune/layers.h"

namespace adze::prune {

/// Batches of network inputs by index, so that they can be read again and need not be kept.
struct Batches {
  std::int64_t count = 0;
  std::function<std::vector<Tensor>(std::int64_t)> batch;
};

/// What passed along each index of an axis.
struct AxisActivity {
  std::vector<double> sum_abs, sum_square, zeros;
  double count = 0;  ///< elements seen for each index
};

/// What tells a group from all others: the first index that belongs to it.
using GroupKey = std::tuple<ValueId, std::int64_t, std::int64_t>;
GroupKey key_of(const Group& group);

/// What criteria may look at. Filled as far as needs_of says.
struct Statistics {
  std::map<AxisOf, AxisActivity> activity;
  /// d(mean loss)/d(weight) of one small batch each, by weight.
  std::map<ValueId, std::vector<Tensor>> gradients;
  std::map<ValueId, Tensor> start;                       ///< weights before training
  std::map<ValueId, std::vector<double>> dropout_rates;  ///< log alpha by weight (posterior.h)
  std::map<ValueId, std::vector<double>> gates;          ///< log alpha by weight, in the order of elements
  std::map<GroupKey, std::vector<double>> unit_gates;    ///< log alpha by group, one a unit
  std::map<GroupKey, std::vector<double>> left_out;      ///< what each unit's absence does to the outputs
  std::uint64_t seed = 0;
};

/// The axes whose activity tells of groups' units and of layers' inputs: what weights are multiplied with.
std::vector<AxisOf> observed_axes(const Graph& graph, const Groups& groups, std::span<const Layer> layers);

/// Runs the network on the data and sums up what passes along the axes. Throws ModelError without data.
std::map<AxisOf, AxisActivity> measure_activity(const Graph& graph, std::span<const AxisOf> axes,
                                                const Batches& batches, ProgressSink& progress = silent_progress());

/// Where gradients come from: the training plug-in, or a test's formula.
class GradientSource {
 public:
  virtual ~GradientSource() = default;
  virtual std::int64_t num_batches() const = 0;
  /// Gradients of the loss on one batch, by the weights' value names.
  virtual std::map<std::string, Tensor> gradients(std::int64_t batch) = 0;
  /// From now on gradients are those at this value of a weight.
  virtual void set_weight(const std::string& name, const Tensor& value) = 0;
};

std::map<ValueId, std::vector<Tensor>> collect_gradients(const Graph& graph, GradientSource& source,
                                                         ProgressSink& progress = silent_progress());

}  // namespace adze::prune
