#include "adze/prune/widen.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "adze/prune/allocate.h"

namespace adze::prune {

namespace {

/// Operators that say nothing about how many channels they see.
bool is_size_free(OpKind kind) {
  constexpr OpKind kinds[] = {OpKind::Add,
                              OpKind::AveragePool,
                              OpKind::BatchNormalization,
                              OpKind::Clip,
                              OpKind::Conv,
                              OpKind::Div,
                              OpKind::Dropout,
                              OpKind::Flatten,
                              OpKind::Gemm,
                              OpKind::GlobalAveragePool,
                              OpKind::GlobalMaxPool,
                              OpKind::HardSigmoid,
                              OpKind::HardSwish,
                              OpKind::Identity,
                              OpKind::LeakyRelu,
                              OpKind::MatMul,
                              OpKind::MaxPool,
                              OpKind::Mul,
                              OpKind::PRelu,
                              OpKind::ReduceMean,
                              OpKind::Relu,
                              OpKind::Sigmoid,
                              OpKind::Sub,
                              OpKind::Tanh,
                              OpKind::Transpose};
  return std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds);
}

std::int64_t axis_size(const Graph& graph, const Member& member) {
  const auto& shape = graph.value(member.value).type.shape;
  return shape ? (*shape)[static_cast<std::size_t>(member.axis)].value : -1;
}

bool has_role(const Member& member, Role wanted) {
  return std::any_of(member.roles.begin(), member.roles.end(), [&](const RoleEntry& r) { return r.role == wanted; });
}

/// rows × columns × inner: the same with the given columns appended.
Tensor with_columns(const Tensor& tensor, std::int64_t axis, std::span<const std::int64_t> columns) {
  Shape shape = tensor.shape();
  shape[static_cast<std::size_t>(axis)] += static_cast<std::int64_t>(columns.size());
  Tensor result(tensor.dtype(), shape);
  const std::int64_t inner = row_major_strides(tensor.shape())[static_cast<std::size_t>(axis)], old = tensor.dim(axis);
  const auto from = tensor.data<float>();
  const auto to = result.mutable_data<float>();
  const std::int64_t rows = tensor.size() / (inner * old), wide = old + static_cast<std::int64_t>(columns.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto begin = from.begin() + row * old * inner;
    auto out = std::copy_n(begin, old * inner, to.begin() + row * wide * inner);
    for (const std::int64_t column : columns) out = std::copy_n(begin + column * inner, inner, out);
  }
  return result;
}

void scale_column(Tensor& tensor, std::int64_t axis, std::int64_t column, float by) {
  const std::int64_t inner = row_major_strides(tensor.shape())[static_cast<std::size_t>(axis)], wide = tensor.dim(axis);
  const auto data = tensor.mutable_data<float>();
  for (std::int64_t row = 0; row * wide * inner < tensor.size(); ++row) {
    for (std::int64_t i = 0; i < inner; ++i) data[static_cast<std::size_t>((row * wide + column) * inner + i)] *= by;
  }
}

/// The weights of `columns` moved by noise relative to their root mean square.
void disturb(Tensor& tensor, std::int64_t axis, std::int64_t first, double noise, Random& random) {
  if (noise <= 0) return;
  const auto data = tensor.mutable_data<float>();
  double square = 0;
  for (const float value : data) square += static_cast<double>(value) * value;
  const double size = noise * std::sqrt(square / static_cast<double>(std::max<std::int64_t>(1, tensor.size())));
  const std::int64_t inner = row_major_strides(tensor.shape())[static_cast<std::size_t>(axis)], wide = tensor.dim(axis);
  for (std::int64_t at = 0; at < tensor.size(); ++at) {
    if (at / inner % wide >= first) data[static_cast<std::size_t>(at)] += static_cast<float>(size * random.normal());
  }
}

void widen_member(Graph& graph, const Member& member, std::span<const std::int64_t> sources, std::int64_t units,
                  double noise, Random& random) {
  std::vector<std::int64_t> columns;
  for (const std::int64_t unit : sources) {
    const auto of = member.of(unit);
    columns.insert(columns.end(), of.begin(), of.end());
  }
  Value& value = graph.value(member.value);
  if (value.constant) {
    Tensor wide = with_columns(*value.constant, member.axis, columns);
    if (has_role(member, Role::Consumes)) {
      for (std::int64_t unit = 0; unit < units; ++unit) {
        const auto copies = static_cast<float>(1 + std::count(sources.begin(), sources.end(), unit));
        for (const std::int64_t column : member.of(unit)) scale_column(wide, member.axis, column, 1 / copies);
      }
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto unit = sources[i / static_cast<std::size_t>(member.per_unit)];
        const auto copies = static_cast<float>(1 + std::count(sources.begin(), sources.end(), unit));
        scale_column(wide, member.axis, value.constant->dim(member.axis) + static_cast<std::int64_t>(i), 1 / copies);
      }
    } else if (has_role(member, Role::Produces)) {
      disturb(wide, member.axis, value.constant->dim(member.axis), noise, random);
    }
    value.constant = std::move(wide);
  }
  if (value.type.shape) {
    (*value.type.shape)[static_cast<std::size_t>(member.axis)].value += static_cast<std::int64_t>(columns.size());
  }
  value.dims.reset();
}

}  // namespace

bool can_widen(const Graph& graph, const Group& group) {
  if (!group.inexact.empty()) return false;
  std::vector<ValueId> values;
  for (const Member& member : group.members) {
    if (axis_size(graph, member) != group.size * member.per_unit) return false;
    for (std::size_t i = 0; i < member.indices.size(); ++i) {
      if (member.indices[i] != static_cast<std::int64_t>(i)) return false;
    }
    const Tensor* constant = graph.constant(member.value);
    if (constant != nullptr && constant->dtype() != DType::F32) return false;
    values.push_back(member.value);
  }
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const auto touches = [&](ValueId value) { return std::find(values.begin(), values.end(), value) != values.end(); };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), touches) &&
        std::none_of(node.outputs.begin(), node.outputs.end(), touches)) {
      continue;
    }
    if (!is_size_free(node.kind) || node.get_int("group", 1) != 1) return false;
  }
  return true;
}

Graph with_copies(Graph graph, const Groups& groups, std::span<const Selection> selections, double noise,
                  std::uint64_t seed) {
  Random random(seed);
  for (const Selection& selection : selections) {
    const Group& group = groups.groups.at(selection.group);
    if (!can_widen(graph, group)) throw UsageError(cat(group.name, " cannot be widened"));
    for (const Member& member : group.members) {
      widen_member(graph, member, selection.units, group.size, noise, random);
    }
  }
  infer_types(graph);
  verify(graph);
  return graph;
}

Widened widened_to(const Graph& graph, std::int64_t most_macs, double noise, std::uint64_t seed) {
  const Groups groups = find_groups(graph);
  const auto wider = [&](double factor) {
    std::vector<Selection> selections;
    for (std::size_t g = 0; g < groups.groups.size(); ++g) {
      const Group& group = groups.groups[g];
      if (!can_widen(graph, group)) continue;
      const auto more = static_cast<std::int64_t>(std::llround((factor - 1) * static_cast<double>(group.size)));
      Random random = Random(seed).split(g);
      Selection selection{g, {}};
      for (std::int64_t i = 0; i < more; ++i) {
        selection.units.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(group.size))));
      }
      if (more > 0) selections.push_back(std::move(selection));
    }
    return with_copies(graph, groups, selections, noise, seed);
  };
  double low = 1, high = 4;
  for (int step = 0; step < 12; ++step) {
    const double middle = (low + high) / 2;
    (size_of(wider(middle)).macs <= most_macs ? low : high) = middle;
  }
  return {low > 1 ? wider(low) : graph, low};
}

}  // namespace adze::prune
