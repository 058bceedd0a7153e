#include "adze/prune/repair.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::prune {

namespace {

std::span<const std::int64_t> gone(const Removed& removed, ValueId value, std::int64_t axis) {
  const auto found = removed.find({value, axis});
  return found == removed.end() ? std::span<const std::int64_t>{} : std::span<const std::int64_t>(found->second);
}

bool touched(const Removed& removed, ValueId value) {
  const auto found = removed.lower_bound({value, 0});
  return found != removed.end() && found->first.value == value;
}

/// How many indices below limit remain.
std::int64_t kept_below(std::span<const std::int64_t> gone, std::int64_t limit) {
  return limit - (std::lower_bound(gone.begin(), gone.end(), limit) - gone.begin());
}

std::int64_t rank_of(const Graph& graph, ValueId value) {
  const Value& v = graph.value(value);
  return v.constant ? v.constant->rank() : static_cast<std::int64_t>(v.type.shape->size());
}

/// The value's dimensions as they will be, -1 where not known.
std::vector<std::int64_t> new_dims(const Graph& graph, ValueId value, const Removed& removed) {
  std::vector<std::int64_t> dims;
  for (const Dim& dim : *graph.value(value).type.shape) {
    const auto less = static_cast<std::int64_t>(gone(removed, value, static_cast<std::int64_t>(dims.size())).size());
    dims.push_back(dim.is_known() ? dim.value - less : -1);
  }
  return dims;
}

void set_constant_input(Graph& graph, NodeId id, std::size_t input, Tensor tensor) {
  const std::string name = graph.unique_name(cat(graph.node(id).name, "_pruned"));
  const ValueId constant = graph.add_constant(name, std::move(tensor));
  Node& node = graph.node(id);
  node.inputs[input] = constant;
}

/// A target shape: 0 and -1 stay, numbers become the new ones. A computed one becomes constant, when one at most of the
/// dimensions is not known.
void repair_shape(Graph& graph, NodeId id, const Removed& removed) {
  const ValueId y = graph.node(id).output();
  if (!touched(removed, y) && !touched(removed, graph.node(id).input(0))) return;
  std::vector<std::int64_t> shape = new_dims(graph, y, removed);
  if (const Tensor* old = graph.constant(graph.node(id).input(1))) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (old->get_int(static_cast<std::int64_t>(i)) <= 0) shape[i] = old->get_int(static_cast<std::int64_t>(i));
    }
  } else if (std::count(shape.begin(), shape.end(), -1) > 1) {
    throw UnsupportedError("the target shape is computed from more than one unknown size",
                           place_of(graph, graph.node(id)), "fix the input shapes with adze slim first");
  }
  set_constant_input(graph, id, 1, Tensor::ints(shape));
}

void repair_expand(Graph& graph, NodeId id, const Removed& removed) {
  const ValueId y = graph.node(id).output();
  const Tensor* old = graph.constant(graph.node(id).input(1));
  if (!touched(removed, y)) return;
  if (old == nullptr) throw UnsupportedError("the target shape is computed", place_of(graph, graph.node(id)));
  std::vector<std::int64_t> shape = to_ints(*old);
  const std::int64_t missing = rank_of(graph, y) - static_cast<std::int64_t>(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] > 1) {
      shape[i] -= static_cast<std::int64_t>(gone(removed, y, static_cast<std::int64_t>(i) + missing).size());
    }
  }
  set_constant_input(graph, id, 1, Tensor::ints(shape));
}

/// A depthwise convolution has as many groups as channels; others keep their groups.
void repair_conv(Graph& graph, NodeId id, const Removed& removed) {
  const Node& node = graph.node(id);
  const std::int64_t groups = node.get_int("group", 1);
  const std::int64_t less_in = static_cast<std::int64_t>(gone(removed, node.input(0), 1).size());
  if (groups == 1 || less_in == 0 || !gone(removed, node.input(1), 1).empty()) return;
  graph.node(id).set("group", groups - less_in);
}

void repair_split(Graph& graph, NodeId id, const Removed& removed) {
  const Node& node = graph.node(id);
  const std::int64_t axis = normalize_axis(node.get_int("axis", 0), rank_of(graph, node.input(0)));
  if (gone(removed, node.input(0), axis).empty()) return;
  std::vector<std::int64_t> sizes;
  for (const ValueId part : node.outputs)
    sizes.push_back(new_dims(graph, part, removed)[static_cast<std::size_t>(axis)]);
  graph.node(id).erase("num_outputs");
  if (graph.node(id).inputs.size() < 2) graph.node(id).inputs.resize(2, ValueId::None);
  set_constant_input(graph, id, 1, Tensor::ints(sizes));
}

void repair_slice(Graph& graph, NodeId id, const Removed& removed) {
  const ValueId x = graph.node(id).input(0);
  if (!touched(removed, x)) return;
  const Tensor* axes = graph.constant(graph.node(id).input(3));
  std::vector<std::int64_t> starts = to_ints(*graph.constant(graph.node(id).input(1)));
  const Tensor* old_ends = graph.constant(graph.node(id).input(2));
  if (old_ends == nullptr) throw UnsupportedError("the end of the slice is computed", place_of(graph, graph.node(id)));
  std::vector<std::int64_t> ends = to_ints(*old_ends);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t axis = axes != nullptr
                                  ? normalize_axis(axes->get_int(static_cast<std::int64_t>(i)), rank_of(graph, x))
                                  : static_cast<std::int64_t>(i);
    const auto indices = gone(removed, x, axis);
    if (indices.empty()) continue;
    const std::int64_t size = (*graph.value(x).type.shape)[static_cast<std::size_t>(axis)].value;
    const auto place = [&](std::int64_t at) {
      return kept_below(indices, std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size));
    };
    starts[i] = place(starts[i]);
    ends[i] = place(ends[i]);
  }
  set_constant_input(graph, id, 1, Tensor::ints(starts));
  set_constant_input(graph, id, 2, Tensor::ints(ends));
}

void repair_gather(Graph& graph, NodeId id, const Removed& removed) {
  const Node& node = graph.node(id);
  const ValueId x = node.input(0);
  const std::int64_t axis = normalize_axis(node.get_int("axis", 0), rank_of(graph, x));
  const auto lost = gone(removed, x, axis);
  const auto lost_outputs = gone(removed, node.output(), axis);
  const Tensor* order = graph.constant(node.input(1));
  if (lost.empty() || order == nullptr) return;
  const Value& data = graph.value(x);
  const std::int64_t size =
      data.constant ? data.constant->dim(axis) : (*data.type.shape)[static_cast<std::size_t>(axis)].value;
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < order->size(); ++i) {
    if (std::binary_search(lost_outputs.begin(), lost_outputs.end(), i)) continue;
    const std::int64_t from = order->get_int(i);
    indices.push_back(kept_below(lost, from < 0 ? from + size : from));
  }
  set_constant_input(graph, id, 1, Tensor::ints(indices));
}

void repair_resize(Graph& graph, NodeId id, const Removed& removed) {
  const Tensor* sizes = graph.constant(graph.node(id).input(3));
  const ValueId y = graph.node(id).output();
  if (!touched(removed, y) || sizes == nullptr || graph.node(id).has("axes")) return;
  std::vector<std::int64_t> changed = to_ints(*sizes);
  for (std::size_t i = 0; i < changed.size(); ++i) {
    changed[i] -= static_cast<std::int64_t>(gone(removed, y, static_cast<std::int64_t>(i)).size());
  }
  set_constant_input(graph, id, 3, Tensor::ints(changed));
}

void repair_recurrent(Graph& graph, NodeId id, const Removed& removed) {
  const auto less = static_cast<std::int64_t>(gone(removed, graph.node(id).input(2), 2).size());
  if (less == 0 || !graph.node(id).has("hidden_size")) return;
  graph.node(id).set("hidden_size", graph.node(id).get_int("hidden_size") - less);
}

void repair_group_normalization(Graph& graph, NodeId id, const Removed& removed) {
  const Node& node = graph.node(id);
  const auto lost = static_cast<std::int64_t>(gone(removed, node.input(0), 1).size());
  const std::int64_t groups = node.get_int("num_groups");
  const std::int64_t channels = (*graph.value(node.input(0)).type.shape)[1].value;
  if (lost > 0) graph.node(id).set("num_groups", groups - lost / (channels / groups));
}

struct RepairEntry {
  OpKind kind;
  void (*repair)(Graph&, NodeId, const Removed&);
};

constexpr RepairEntry repairs[] = {
    {OpKind::Conv, repair_conv},      {OpKind::Expand, repair_expand},
    {OpKind::GRU, repair_recurrent},  {OpKind::Gather, repair_gather},
    {OpKind::LSTM, repair_recurrent}, {OpKind::GroupNormalization, repair_group_normalization},
    {OpKind::RNN, repair_recurrent},  {OpKind::Reshape, repair_shape},
    {OpKind::Resize, repair_resize},  {OpKind::Slice, repair_slice},
    {OpKind::Split, repair_split},
};

}  // namespace

void repair_node(Graph& graph, NodeId id, const Removed& removed) {
  for (const RepairEntry& entry : repairs) {
    if (entry.kind == graph.node(id).kind) return entry.repair(graph, id, removed);
  }
}

}  // namespace adze::prune
