#include "adze/prune/statistics.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "adze/base/text.h"
#include "adze/prune/measuring.h"

namespace adze::prune {

namespace {

/// What the consuming node multiplies with the weights.
ValueId data_of(const Graph& graph, const RoleEntry& role) {
  const Node& node = graph.node(role.node);
  const ValueId other = role.input == 1 ? node.input(0) : role.input == 0 ? node.input(1) : ValueId::None;
  return other != ValueId::None && graph.constant(other) == nullptr ? other : ValueId::None;
}

void add_activity(AxisActivity& activity, const Tensor& tensor, std::int64_t axis) {
  const auto size = static_cast<std::size_t>(tensor.dim(axis));
  activity.sum_abs.resize(size);
  activity.sum_square.resize(size);
  activity.zeros.resize(size);
  const auto data = tensor.data<float>();
  const auto inner = static_cast<std::size_t>(row_major_strides(tensor.shape())[static_cast<std::size_t>(axis)]);
  for (std::size_t begin = 0; begin < data.size(); begin += inner * size) {
    for (std::size_t i = 0; i < size; ++i) {
      double sum = 0, square = 0, zeros = 0;
      for (const float value : data.subspan(begin + i * inner, inner)) {
        sum += std::abs(value);
        square += static_cast<double>(value) * value;
        zeros += value == 0.0F ? 1 : 0;
      }
      activity.sum_abs[i] += sum;
      activity.sum_square[i] += square;
      activity.zeros[i] += zeros;
    }
  }
  activity.count += static_cast<double>(data.size() / std::max<std::size_t>(1, size));
}

}  // namespace

GroupKey key_of(const Group& group) {
  const Member& first = group.members.at(0);
  return {first.value, first.axis, first.indices.at(0)};
}

std::vector<AxisOf> observed_axes(const Graph& graph, const Groups& groups, std::span<const Layer> layers) {
  std::set<AxisOf> axes;
  for (const Layer& layer : layers) {
    if (layer.input != ValueId::None) axes.insert({layer.input, layer.input_axis});
  }
  for (const Group& group : groups.groups) {
    std::set<ValueId> data;
    for (const Member& member : group.members) {
      for (const RoleEntry& role : member.roles) {
        if (member.constant && role.role == Role::Consumes) data.insert(data_of(graph, role));
      }
    }
    for (const Member& member : group.members) {
      if (data.count(member.value) != 0) axes.insert({member.value, member.axis});
    }
  }
  return {axes.begin(), axes.end()};
}

std::map<AxisOf, AxisActivity> measure_activity(const Graph& graph, std::span<const AxisOf> axes,
                                                const Batches& batches, ProgressSink& progress) {
  if (batches.count == 0) throw UsageError("no data to measure activations on", "give --data");
  std::map<AxisOf, AxisActivity> activity;
  std::unordered_map<std::string, std::vector<AxisOf>> by_name;
  for (const AxisOf& axis : axes) by_name[graph.value(axis.value).name].push_back(axis);
  Session session(graph, measuring_options());
  session.observe([&](std::string_view name, const Tensor& tensor) {
    const auto found = by_name.find(std::string(name));
    if (found == by_name.end() || tensor.dtype() != DType::F32) return;
    for (const AxisOf& axis : found->second) add_activity(activity[axis], tensor, axis.axis);
  });
  ProgressPhase phase(progress, "activations", batches.count, "batches");
  for (std::int64_t i = 0; i < batches.count; ++i) {
    session.run(batches.batch(i));
    phase.advance();
    check_cancelled();
  }
  return activity;
}

std::map<ValueId, std::vector<Tensor>> collect_gradients(const Graph& graph, GradientSource& source,
                                                         ProgressSink& progress) {
  std::map<ValueId, std::vector<Tensor>> gradients;
  ProgressPhase phase(progress, "gradients", source.num_batches(), "batches");
  for (std::int64_t i = 0; i < source.num_batches(); ++i) {
    for (auto& [name, tensor] : source.gradients(i)) {
      const ValueId id = graph.find_value(name);
      if (id == ValueId::None || graph.constant(id) == nullptr) continue;
      if (graph.constant(id)->shape() != tensor.shape()) {
        throw InternalError(cat("the gradient of ", name, " has another shape than its weight"));
      }
      gradients[id].push_back(std::move(tensor));
    }
    phase.advance();
    check_cancelled();
  }
  return gradients;
}

}  // namespace adze::prune
