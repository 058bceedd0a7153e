#include "adze/prune/bypass.h"

#include <algorithm>
#include <set>

#include "adze/graph/edit.h"
#include "adze/prune/layers.h"
#include "adze/prune/measuring.h"
#include "adze/rewrite/rules/fold_batch_norm.h"
#include "adze/rewrite/rules/merge_linear.h"

namespace adze::prune {

namespace {

bool same_type(const Graph& graph, ValueId a, ValueId b) {
  const ValueType &left = graph.value(a).type, &right = graph.value(b).type;
  return left.shape && right.shape && left.dtype == right.dtype && *left.shape == *right.shape;
}

bool is_weighted(OpKind kind) {
  return kind == OpKind::Conv || kind == OpKind::Gemm || kind == OpKind::MatMul;
}

/// Is `ancestor` read, by way of other nodes, for computing `value`?
bool depends_on(const Graph& graph, ValueId value, ValueId ancestor) {
  std::vector<ValueId> open = {value};
  std::vector<bool> seen(static_cast<std::size_t>(graph.num_values()));
  while (!open.empty()) {
    const ValueId id = open.back();
    open.pop_back();
    if (id == ancestor) return true;
    const Node* producer = graph.producer_of(id);
    if (producer == nullptr || seen[static_cast<std::size_t>(id)]) continue;
    seen[static_cast<std::size_t>(id)] = true;
    for (const ValueId input : producer->inputs) {
      if (input != ValueId::None) open.push_back(input);
    }
  }
  return false;
}

/// Layers with weights that a value is computed from.
std::set<NodeId> layers_before(const Graph& graph, ValueId value) {
  std::set<NodeId> layers, seen;
  std::vector<ValueId> open = {value};
  while (!open.empty()) {
    const NodeId id = open.back() == ValueId::None ? NodeId::None : graph.value(open.back()).producer;
    open.pop_back();
    if (id == NodeId::None || !seen.insert(id).second) continue;
    const Node& node = graph.node(id);
    if (node.inputs.size() > 1 && graph.constant(node.input(1)) != nullptr && is_weighted(node.kind)) layers.insert(id);
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  return layers;
}

/// Is `around` the short way of a block: `through` is computed from it, or both from the same and at most one layer
/// (a projection) is in `around` alone, and more are in `through` alone?
bool is_short_way(const Graph& graph, ValueId around, ValueId through) {
  if (depends_on(graph, through, around)) return true;
  if (depends_on(graph, around, through)) return false;
  const std::set<NodeId> here = layers_before(graph, around), there = layers_before(graph, through);
  const auto only = [](const std::set<NodeId>& of, const std::set<NodeId>& without) {
    return std::count_if(of.begin(), of.end(), [&](NodeId id) { return !without.contains(id); });
  };
  const auto here_alone = only(here, there), there_alone = only(there, here);
  return here_alone < static_cast<std::ptrdiff_t>(here.size()) && here_alone <= 1 && here_alone < there_alone;
}

void find_blocks(const Graph& graph, const std::vector<std::string>& skip, std::vector<Bypass>& found) {
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::Add || is_named(node, skip)) continue;
    for (const int side : {0, 1}) {
      const ValueId around = node.input(static_cast<std::size_t>(side));
      const ValueId through = node.input(static_cast<std::size_t>(1 - side));
      if (graph.constant(around) != nullptr || graph.constant(through) != nullptr || around == through) continue;
      if (!same_type(graph, around, node.outputs[0]) || !is_short_way(graph, around, through)) continue;
      found.push_back({node.name, around, node.outputs[0]});
      break;
    }
  }
}

void find_single_layers(const Graph& graph, const std::vector<std::string>& skip, std::vector<Bypass>& found) {
  for (const Layer& layer : weight_layers(graph, skip)) {
    const Node& node = graph.node(layer.node);
    if (layer.input == ValueId::None || node.outputs.size() != 1) continue;
    if (same_type(graph, layer.input, node.outputs[0])) found.push_back({node.name, layer.input, node.outputs[0]});
  }
}

/// The value that a node computes its output from, element by element or as a batch norm does; None: it does otherwise.
/// x · sigmoid(x) counts as one.
ValueId source_of_activation(const Graph& graph, const Node& node) {
  const auto constant_but_first = [&] {
    return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                       [&](ValueId id) { return id == ValueId::None || graph.constant(id) != nullptr; });
  };
  switch (node.kind) {
    case OpKind::Relu:
    case OpKind::LeakyRelu:
    case OpKind::PRelu:
    case OpKind::Clip:
    case OpKind::Elu:
    case OpKind::Celu:
    case OpKind::Selu:
    case OpKind::Gelu:
    case OpKind::Mish:
    case OpKind::HardSwish:
    case OpKind::HardSigmoid:
    case OpKind::Sigmoid:
    case OpKind::Softplus:
    case OpKind::Softsign:
    case OpKind::Tanh:
    case OpKind::ThresholdedRelu:
    case OpKind::BatchNormalization:
    case OpKind::Identity:
      return constant_but_first() ? node.input(0) : ValueId::None;
    case OpKind::Mul:
      for (const std::size_t side : {0U, 1U}) {
        const Node* gate = graph.producer_of(node.input(side));
        const bool is_gate = gate != nullptr && (gate->kind == OpKind::Sigmoid || gate->kind == OpKind::HardSigmoid);
        if (is_gate && gate->input(0) == node.input(1 - side)) return gate->input(0);
      }
      return ValueId::None;
    default:
      return ValueId::None;
  }
}

/// The linear layer that gives value, with a batch norm behind it or none; null: no such.
const Node* linear_layer_of(const Graph& graph, ValueId value) {
  const Node* node = graph.producer_of(value);
  if (node != nullptr && node->kind == OpKind::BatchNormalization) node = graph.producer_of(node->input(0));
  return node != nullptr && is_weighted(node->kind) ? node : nullptr;
}

/// Starts of what lies between a layer and those before it, nearest first: behind each layer on the way, one of which
/// may be gone around.
void find_merges_before(const Graph& graph, const Node& layer, const std::vector<std::string>& skip,
                        std::vector<Bypass>& found) {
  const ValueId to = layer.input(0);
  ValueId value = to;
  std::string name;
  bool went_around_layer = false;
  while (const Node* node = graph.producer_of(value)) {
    if (is_named(*node, skip)) return;
    if (const Node* linear = linear_layer_of(graph, value)) {
      if (value != to && same_type(graph, value, to)) {
        const Bypass bypass{name, value, to};
        Graph tried = bypassed(graph, bypass);
        if (merge_layers_at(tried, value)) {
          found.push_back(bypass);
          return;
        }
      }
      if (went_around_layer || is_named(*linear, skip)) return;
      went_around_layer = true;
      name = linear->name;
      value = linear->input(0);
      continue;
    }
    value = source_of_activation(graph, *node);
    if (value == ValueId::None) return;
    if (name.empty()) name = node->name;
  }
}

void find_merges(const Graph& graph, const std::vector<std::string>& skip, std::vector<Bypass>& found) {
  for (const Layer& layer : weight_layers(graph, skip)) {
    const Node& node = graph.node(layer.node);
    if (layer.input != ValueId::None && is_weighted(node.kind)) find_merges_before(graph, node, skip, found);
  }
}

/// Applies the first of the rules that fits this node. Did one?
bool apply_first(Graph& graph, NodeId id, std::span<const rewrite::Rule> rules) {
  const Uses uses(graph);
  const rewrite::Evaluator none;
  const rewrite::RuleContext context{graph, uses, none};
  for (const rewrite::Rule& rule : rules) {
    if (std::find(rule.roots.begin(), rule.roots.end(), graph.node(id).kind) == rule.roots.end()) continue;
    if (const auto edit = rule.match(context, id)) {
      apply(graph, *edit);
      return true;
    }
  }
  return false;
}

}  // namespace

bool merge_layers_at(Graph& graph, ValueId value) {
  const Uses uses(graph);
  if (!uses.single(value)) return false;
  const NodeId reader = uses.of(value).front();
  Graph tried = graph;
  const Node* producer = tried.producer_of(value);
  if (producer != nullptr && producer->kind == OpKind::BatchNormalization) {
    const auto rules = rewrite::fold_batch_norm_rules();
    apply_first(tried, tried.value(value).producer, {rules.data(), 1});
  }
  if (!apply_first(tried, reader, rewrite::merge_linear_rules())) return false;
  graph = std::move(tried);
  return true;
}

std::vector<Bypass> find_bypasses(const Graph& graph, Depth depth, const std::vector<std::string>& skip) {
  std::vector<Bypass> found;
  switch (depth) {
    case Depth::Blocks:
      find_blocks(graph, skip, found);
      break;
    case Depth::Layers:
      find_single_layers(graph, skip, found);
      break;
    case Depth::Merged:
      find_merges(graph, skip, found);
      break;
  }
  return found;
}

Graph bypassed(Graph graph, const Bypass& bypass) {
  GraphEdit edit(graph, "prune");
  edit.replace(bypass.to, bypass.from);
  apply(graph, edit);
  return graph;
}

std::vector<double> bypass_errors(const Graph& graph, const std::vector<Bypass>& bypasses, const Batches& batches,
                                  ProgressSink& progress) {
  if (batches.count == 0) throw UsageError("what layers and blocks do is measured on data", "give --data");
  const Outputs whole = outputs_of(graph, batches);
  ProgressPhase phase(progress, "leaving out", static_cast<std::int64_t>(bypasses.size()), "parts");
  std::vector<double> errors;
  for (const Bypass& bypass : bypasses) {
    check_cancelled();
    errors.push_back(relative_error(whole, outputs_of(bypassed(graph, bypass), batches)));
    phase.advance();
  }
  return errors;
}

}  // namespace adze::prune
