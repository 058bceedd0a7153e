#include "adze/graph/states.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "adze/base/text.h"

namespace adze {

namespace {

/// Words of an input's name that the output's name has another word for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> words{{{"past_key_values", "present"},
                                                                               {"past", "present"},
                                                                               {"initial_", "Y_"},
                                                                               {"initial", "final"},
                                                                               {"_in", "_out"},
                                                                               {"prev", "next"},
                                                                               {"old", "new"},
                                                                               {"h0", "hn"},
                                                                               {"h_0", "h_n"},
                                                                               {"c0", "cn"}}};

std::size_t place_of(const Graph& graph, const std::vector<ValueId>& ids, const std::string& name,
                     std::string_view what) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    names.push_back(graph.value(ids[i]).name);
    if (names.back() == name) return i;
  }
  throw UsageError(cat("there is no ", what, " ", quoted(name), " to keep as state; there are ", join(names, ", ")));
}

bool only_moves(OpKind kind) {
  switch (kind) {
    case OpKind::Identity:
    case OpKind::Cast:
    case OpKind::Reshape:
    case OpKind::Squeeze:
    case OpKind::Unsqueeze:
    case OpKind::QuantizeLinear:
    case OpKind::DequantizeLinear:
      return true;
    default:
      return false;
  }
}

bool scales(OpKind kind) {
  return kind == OpKind::Add || kind == OpKind::Sub || kind == OpKind::Mul || kind == OpKind::Div;
}

bool is_recurrent(OpKind kind) {
  return kind == OpKind::LSTM || kind == OpKind::GRU || kind == OpKind::RNN;
}

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), order_(topological_order(graph)) {}

  std::vector<StatePair> find() {
    std::vector<StatePair> states;
    for (std::size_t input = 1; input < graph_.inputs().size(); ++input) {
      auto output = by_name(graph_.value(graph_.inputs()[input]).name);
      if (!output) output = by_operator(graph_.inputs()[input]);
      if (output && fits(input, *output) && taken_.insert(*output).second) states.push_back({input, *output});
    }
    return states;
  }

 private:
  std::optional<std::size_t> output_named(const std::string& name) const {
    for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
      if (graph_.value(graph_.outputs()[i]).name == name) return i;
    }
    return std::nullopt;
  }

  std::optional<std::size_t> by_name(const std::string& name) const {
    for (const auto& [word, other] : words) {
      const std::size_t at = name.find(word);
      if (at == std::string::npos) continue;
      std::string expected = name;
      if (const auto output = output_named(expected.replace(at, word.size(), other))) return output;
    }
    return std::nullopt;
  }

  /// The output that holds value, moved or not.
  std::optional<std::size_t> output_behind(ValueId value) const {
    if (value == ValueId::None) return std::nullopt;
    std::set<ValueId> same{value};
    for (const NodeId id : order_) {
      const Node& node = graph_.node(id);
      if (only_moves(node.kind) && same.contains(node.input(0))) same.insert(node.output());
    }
    for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
      if (same.contains(graph_.outputs()[i])) return i;
    }
    return std::nullopt;
  }

  std::optional<std::size_t> by_operator(ValueId input) const {
    std::set<ValueId> same{input};
    for (const NodeId id : order_) {
      const Node& node = graph_.node(id);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!same.contains(node.inputs[i])) continue;
        if (only_moves(node.kind) && i == 0) same.insert(node.output());
        if (node.kind == OpKind::Concat && i == 0) return output_behind(node.output());   // new places come last
        if (is_recurrent(node.kind) && i >= 5) return output_behind(node.output(i - 4));  // initial_h: 5, Y_h: 1
      }
    }
    return std::nullopt;
  }

  bool fits(std::size_t input, std::size_t output) const {
    const ValueType& in = graph_.value(graph_.inputs()[input]).type;
    const ValueType& out = graph_.value(graph_.outputs()[output]).type;
    return in.is_tensor() && out.is_tensor() && in.dtype == out.dtype && in.shape && out.shape &&
           in.shape->size() == out.shape->size();
  }

  const Graph& graph_;
  std::vector<NodeId> order_;
  std::set<std::size_t> taken_;
};

/// The zero point that the node gives its operand; nothing when it gives none.
std::optional<std::int64_t> zero_point_of(const Graph& graph, const Node& node, std::size_t operand) {
  if (node.kind == OpKind::DequantizeLinear && operand == 0) {
    const Tensor* zero_point = graph.constant(node.input(2));
    return zero_point == nullptr || zero_point->empty() || !is_integer(zero_point->dtype()) ? 0
                                                                                            : zero_point->get_int(0);
  }
  for (const char* prefix : {"x", "a", "b"}) {
    const bool second = *prefix == 'b';
    if (operand == (second ? 1U : 0U) && node.has(cat(prefix, "_scale")))
      return node.get_int(cat(prefix, "_zero_point"));
  }
  return std::nullopt;
}

}  // namespace

std::vector<StateNames> parse_states(std::string_view text) {
  std::vector<StateNames> states;
  if (text.empty()) return states;
  for (const std::string& pair : split(text, ',')) {
    const auto names = split(pair, '=');
    if (names.size() != 2) throw UsageError(cat("state ", quoted(pair), ": expected INPUT=OUTPUT"));
    states.push_back({names[0], names[1]});
  }
  return states;
}

std::vector<StateNames> named_states(const Graph& graph) {
  const auto found = graph.metadata.find("adze.state");
  return found == graph.metadata.end() ? std::vector<StateNames>() : parse_states(found->second);
}

std::vector<StatePair> find_states(const Graph& graph) {
  if (!graph.metadata.contains("adze.state")) return Finder(graph).find();
  std::vector<StatePair> states;
  for (const StateNames& names : named_states(graph)) {
    states.push_back({place_of(graph, graph.inputs(), names.input, "input"),
                      place_of(graph, graph.outputs(), names.output, "output")});
  }
  return states;
}

void set_states(Graph& graph, const std::vector<StatePair>& states) {
  std::vector<std::string> pairs;
  for (const StatePair& state : states) {
    pairs.push_back(cat(std::as_const(graph).value(graph.inputs()[state.input]).name, "=",
                        std::as_const(graph).value(graph.outputs()[state.output]).name));
  }
  graph.metadata["adze.state"] = join(pairs, ",");
}

std::optional<std::int64_t> growing_axis(const Graph& graph, ValueId input) {
  std::set<ValueId> same{input};
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return same.contains(v); });
    if (!reads) continue;
    if (node.kind == OpKind::Concat) {
      const auto& shape = graph.value(input).type.shape;
      const std::int64_t axis = node.get_int("axis");
      if (!shape) return std::nullopt;
      return axis < 0 ? axis + std::ssize(*shape) : axis;
    }
    if (scales(node.kind) || (only_moves(node.kind) && same.contains(node.input(0)))) same.insert(node.output());
  }
  return std::nullopt;
}

std::int64_t stored_zero(const Graph& graph, ValueId input) {
  std::vector<ValueId> open{input};  // it and what only moves its numbers
  for (std::size_t at = 0; at < open.size(); ++at) {
    for (const NodeId id : graph.node_ids()) {
      const Node& node = graph.node(id);
      for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
        if (node.inputs[operand] != open[at]) continue;
        if (const auto zero = zero_point_of(graph, node, operand)) return *zero;
        for (const ValueId output : node.outputs) {
          const bool moved = output != ValueId::None &&
                             graph.value(output).type.dtype == graph.value(input).type.dtype &&
                             std::find(open.begin(), open.end(), output) == open.end();
          if (moved) open.push_back(output);
        }
      }
    }
  }
  return 0;
}

StateBytes state_bytes(const Graph& graph, const std::vector<StatePair>& states) {
  StateBytes bytes;
  for (const StatePair& state : states) {
    const ValueId input = graph.inputs()[state.input];
    const ValueType& type = graph.value(input).type;
    if (!type.shape) continue;
    const auto axis = growing_axis(graph, input);
    Shape shape;
    for (std::size_t i = 0; i < type.shape->size(); ++i) {
      const bool grows = axis && static_cast<std::size_t>(*axis) == i;
      shape.push_back(grows || !(*type.shape)[i].is_known() ? 1 : (*type.shape)[i].value);
    }
    (axis ? bytes.per_place : bytes.whole) += storage_bytes(type.dtype, num_elements(shape));
  }
  return bytes;
}

}  // namespace adze
