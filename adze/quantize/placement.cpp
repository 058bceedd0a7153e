#include "adze/quantize/placement.h"

#include <algorithm>
#include <numeric>

#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

std::size_t at(NodeId id) {
  return static_cast<std::size_t>(id);
}
std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id);
}

/// The sets of a union-find over values.
class Sets {
 public:
  explicit Sets(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parent_[std::max(find(a), find(b))] = std::min(find(a), find(b)); }

 private:
  std::vector<std::size_t> parent_;
};

class Placer {
 public:
  Placer(const Graph& graph, const PtqOptions& options, std::span<const NodeId> only)
      : graph_(graph), options_(options), only_(only), uses_(graph), order_(topological_order(graph)) {
    placement_.integer.assign(static_cast<std::size_t>(graph.num_nodes()), false);
    placement_.fused_activation.assign(placement_.integer.size(), NodeId::None);
  }

  Placement place() {
    find_candidates();
    leave_ends_float();
    find_scores();
    find_fed();
    choose_integer_nodes();
    fuse_activations();
    collect_weights();
    collect_groups();
    return std::move(placement_);
  }

 private:
  bool is_layer(NodeId id) const { return candidate_[at(id)] && role_of(graph_.node(id).kind) == Role::Layer; }
  bool is_graph_input(ValueId id) const {
    return std::find(graph_.inputs().begin(), graph_.inputs().end(), id) != graph_.inputs().end();
  }

  void find_candidates() {
    candidate_.assign(placement_.integer.size(), false);
    for (const NodeId id : order_) {
      const Node& node = graph_.node(id);
      const bool named = only_.empty() || std::find(only_.begin(), only_.end(), id) != only_.end();
      candidate_[at(id)] = named && can_quantize(graph_, node) && !is_skipped(node, options_.skip);
    }
  }

  /// Takes out the layers that no layer precedes or follows, where the options say so.
  void leave_ends_float() {
    std::vector<bool> has_layer(candidate_.size(), false);  // at the node or beyond it
    std::vector<NodeId> left;
    if (options_.first_layer_float) {
      for (const NodeId id : order_) {
        bool before = false;
        for (const ValueId read : values_read(graph_.node(id))) {
          const NodeId producer = graph_.value(read).producer;
          before = before || (producer != NodeId::None && has_layer[at(producer)]);
        }
        if (is_layer(id) && !before) left.push_back(id);
        has_layer[at(id)] = before || is_layer(id);
      }
    }
    has_layer.assign(candidate_.size(), false);
    if (options_.last_layer_float) {
      for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
        bool after = false;
        for (const ValueId output : graph_.node(*id).outputs) {
          if (output == ValueId::None) continue;
          for (const NodeId reader : uses_.of(output)) after = after || has_layer[at(reader)];
        }
        if (is_layer(*id) && !after) left.push_back(*id);
        has_layer[at(*id)] = after || is_layer(*id);
      }
    }
    for (const NodeId id : left) candidate_[at(id)] = false;
  }

  /// Takes out what lies between a matrix product and a Softmax: masks of -10,000 would take all the codes.
  void find_scores() {
    std::vector<bool> feeds(candidate_.size(), false);
    for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
      const Node& node = graph_.node(*id);
      const Role role = role_of(node.kind);
      if (op_info(node.kind).op_class != OpClass::Elementwise && role != Role::Movement) continue;
      for (const NodeId reader : readers(node)) {
        feeds[at(*id)] = feeds[at(*id)] || feeds[at(reader)] || graph_.node(reader).kind == OpKind::Softmax;
      }
      if (feeds[at(*id)] && role == Role::Between) candidate_[at(*id)] = false;
    }
  }

  std::vector<NodeId> readers(const Node& node) const {
    std::vector<NodeId> all;
    for (const ValueId output : node.outputs) {
      if (output == ValueId::None) continue;
      const auto of = uses_.of(output);
      all.insert(all.end(), of.begin(), of.end());
    }
    return all;
  }

  /// A node carries integers when everything that it reads is quantized anyhow. Movement operators may also take a
  /// quantizer that would else stand after them.
  void find_fed() {
    std::vector<bool> carries(candidate_.size(), false);
    fed_.assign(candidate_.size(), false);
    for (const NodeId id : order_) {
      if (!candidate_[at(id)]) continue;
      const Node& node = graph_.node(id);
      const Role role = role_of(node.kind);
      carries[at(id)] = role == Role::Layer || reads_only(node, carries);
      fed_[at(id)] = carries[at(id)] || role == Role::Movement;
    }
  }

  /// Does the node read data from graph inputs and these nodes alone, constants aside?
  bool reads_only(const Node& node, const std::vector<bool>& nodes) const {
    for (const std::size_t input : data_inputs(node)) {
      const ValueId read = node.input(input);
      if (graph_.constant(read) != nullptr) continue;
      const NodeId producer = graph_.value(read).producer;
      if (producer != NodeId::None ? !nodes[at(producer)] : !is_graph_input(read)) return false;
    }
    return true;
  }

  void choose_integer_nodes() {
    const bool integer_end = options_.final_activation == FinalActivation::Integer;
    for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
      if (!fed_[at(*id)]) continue;
      const Node& node = graph_.node(*id);
      const Role role = role_of(node.kind);
      bool wanted = role == Role::Layer;
      for (const NodeId reader : readers(node)) wanted = wanted || placement_.integer[at(reader)];
      const bool ends_float = role == Role::Movement || role == Role::Final || known_range(node.kind).has_value();
      const bool is_end = uses_.is_output(node.output()) && (integer_end || !ends_float);
      placement_.integer[at(*id)] = is_end || (wanted && role != Role::Final);
    }
  }

  void fuse_activations() {
    for (const NodeId id : order_) {
      const Node& node = graph_.node(id);
      const bool can_clamp =
          is_layer(id) || node.kind == OpKind::Add || node.kind == OpKind::Sub || node.kind == OpKind::Mul;
      if (!placement_.integer[at(id)] || !can_clamp || !uses_.single(node.output())) continue;
      const NodeId reader = uses_.of(node.output())[0];
      const Node& next = graph_.node(reader);
      if ((next.kind != OpKind::Relu && next.kind != OpKind::Clip) || next.input(0) != node.output() ||
          !can_quantize(graph_, next) || is_skipped(next, options_.skip)) {
        continue;
      }
      placement_.fused_activation[at(id)] = reader;
      placement_.integer[at(reader)] = true;
    }
  }

  void collect_weights() {
    for (const NodeId id : order_) {
      const Node& node = graph_.node(id);
      const auto weight = weight_input(graph_, node);
      if (!placement_.integer[at(id)] || !weight) continue;
      std::optional<std::int64_t> axis;
      if (options_.weights == Granularity::PerChannel && *weight == 1) {
        axis = channel_axis(node, graph_.constant(node.input(1))->rank());
      }
      placement_.weights.push_back({id, *weight, axis, bias_input(node)});
    }
  }

  /// Marks the values that get a quantizer, then joins those that movement operators connect.
  void collect_groups() {
    const auto count = static_cast<std::size_t>(graph_.num_values());
    enum : char { No, ForIntegerReaders, ForAll };
    std::vector<char> quantizer(count, No);
    std::vector<bool> inside(count, false), moved(count, false), operand(count, false);
    Sets sets(count);
    for (const NodeId id : order_) {
      if (const NodeId next = placement_.fused_activation[at(id)]; next != NodeId::None) {
        inside[at(graph_.node(id).output())] = true;
      }
    }
    for (const NodeId id : order_) {
      if (!placement_.integer[at(id)]) continue;
      const Node& node = graph_.node(id);
      const bool moves = role_of(node.kind) == Role::Movement;
      const auto weight = weight_input(graph_, node);
      for (const std::size_t input : data_inputs(node)) {
        const ValueId read = node.input(input);
        if (weight == input || inside[at(read)]) continue;
        if (graph_.constant(read) != nullptr) {
          operand[at(read)] = true;
        } else if (quantizer[at(read)] == No) {
          quantizer[at(read)] = ForIntegerReaders;
        }
        if (moves) sets.join(at(read), at(node.output()));
      }
      for (const ValueId output : node.outputs) {
        if (output == ValueId::None || inside[at(output)]) continue;
        quantizer[at(output)] = ForAll;
        if (moves) sets.join(at(node.output()), at(output));
        moved[at(output)] = moves;
      }
    }
    std::vector<std::size_t> group_of(count, count);
    for (std::size_t i = 0; i < count; ++i) {
      if (quantizer[i] == No && !operand[i]) continue;
      std::size_t& group = group_of[sets.find(i)];
      if (group == count) {
        group = placement_.groups.size();
        placement_.groups.emplace_back();
      }
      const auto value = static_cast<ValueId>(i);
      ScaleGroup& members = placement_.groups[group];
      members.has_graph_input = members.has_graph_input || is_graph_input(value);
      if (!moved[i]) members.sources.push_back(value);
      if (operand[i]) {
        placement_.constants.emplace_back(value, group);
      } else {
        members.members.push_back(value);
        placement_.quantizers.push_back({value, group, quantizer[i] == ForAll});
      }
    }
    for (ScaleGroup& group : placement_.groups) group.known_range = range_of(group);
  }

  std::optional<std::pair<double, double>> range_of(const ScaleGroup& group) const {
    std::optional<std::pair<double, double>> common;
    for (const ValueId source : group.sources) {
      const Node* producer = graph_.producer_of(source);
      const auto range = producer != nullptr ? known_range(producer->kind) : std::nullopt;
      if (!range || (common && *common != *range)) return std::nullopt;
      common = range;
    }
    return common;
  }

  const Graph& graph_;
  const PtqOptions& options_;
  std::span<const NodeId> only_;
  Uses uses_;
  std::vector<NodeId> order_;
  std::vector<bool> candidate_, fed_;
  Placement placement_;
};

}  // namespace

Placement place_quantizers(const Graph& graph, const PtqOptions& options, std::span<const NodeId> only) {
  return Placer(graph, options, only).place();
}

}  // namespace adze::quantize
