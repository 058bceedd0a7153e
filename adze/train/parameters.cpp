#include "adze/train/parameters.h"

#include <algorithm>
#include <set>

#include "adze/base/text.h"
#include "adze/graph/infer.h"

namespace adze::train {

namespace {

struct WeightInputs {
  OpKind kind;
  std::vector<std::size_t> parameters;
  std::vector<std::size_t> statistics = {};
};

const std::vector<WeightInputs>& weight_inputs() {
  static const std::vector<WeightInputs> table = {
      {OpKind::Conv, {1, 2}},
      {OpKind::ConvTranspose, {1, 2}},
      {OpKind::Gemm, {0, 1, 2}},
      {OpKind::MatMul, {0, 1}},
      {OpKind::BatchNormalization, {1, 2}, {3, 4}},
      {OpKind::LayerNormalization, {1, 2}},
      {OpKind::InstanceNormalization, {1, 2}},
      {OpKind::GroupNormalization, {1, 2}},
      {OpKind::PRelu, {1}},
      {OpKind::Gather, {0}},
      {OpKind::QuantizeLinear, {0}},
      {OpKind::RNN, {1, 2, 3}},
      {OpKind::GRU, {1, 2, 3}},
      {OpKind::LSTM, {1, 2, 3, 7}},
      {OpKind::Einsum, {0, 1, 2, 3}},
  };
  return table;
}

const WeightInputs* find_weight_inputs(OpKind kind) {
  for (const WeightInputs& line : weight_inputs()) {
    if (line.kind == kind) return &line;
  }
  return nullptr;
}

bool is_sum_or_product(OpKind kind) {
  return kind == OpKind::Add || kind == OpKind::Sub || kind == OpKind::Mul || kind == OpKind::Div;
}

class Finder {
 public:
  Finder(const Graph& graph, const std::vector<std::string>& freeze)
      : graph_(graph), freeze_(freeze), used_(freeze.size(), false) {}

  Trainable find() {
    for (const NodeId id : topological_order(graph_)) visit(graph_.node(id));
    for (std::size_t i = 0; i < freeze_.size(); ++i) {
      if (!used_[i]) throw UsageError(cat("no parameter or node matches ", quoted(freeze_[i])), "see adze inspect");
    }
    return std::move(result_);
  }

 private:
  void visit(const Node& node) {
    bool trained = false;
    for (const ValueId input : values_read(node)) trained = trained || trained_.contains(input);
    if (const WeightInputs* line = find_weight_inputs(node.kind)) {
      for (const std::size_t i : line->parameters) trained = add(node, i, result_.parameters) || trained;
      for (const std::size_t i : line->statistics) add(node, i, result_.statistics);
    } else if (trained && is_sum_or_product(node.kind)) {
      for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        const Tensor* constant = graph_.constant(node.input(i));
        if (constant != nullptr && constant->size() > 1) add(node, i, result_.parameters);
      }
    }
    if (!trained) return;
    for (const ValueId output : node.outputs) trained_.insert(output);
  }

  bool is_frozen(const Node& node, ValueId value) {
    bool frozen = false;
    for (std::size_t i = 0; i < freeze_.size(); ++i) {
      if (!matches_wildcard(freeze_[i], node.name) && !matches_wildcard(freeze_[i], graph_.value(value).name)) continue;
      used_[i] = frozen = true;
    }
    return frozen;
  }

  bool add(const Node& node, std::size_t input, std::vector<ValueId>& list) {
    const ValueId value = node.input(input);
    const Tensor* constant = graph_.constant(value);
    if (constant == nullptr || constant->dtype() != DType::F32) return false;
    if (is_frozen(node, value)) return false;
    if (seen_.insert(value).second) list.push_back(value);
    return true;
  }

  const Graph& graph_;
  const std::vector<std::string>& freeze_;
  std::vector<bool> used_;
  Trainable result_;
  std::set<ValueId> seen_, trained_;
};

/// A reshape of something computed from the inputs, spelled out for one batch: its first number becomes "what is left"
/// or, where another one is that already, "as the input has it".
void open_reshape(Graph& graph, NodeId id, std::int64_t batch) {
  const Node& node = graph.node(id);
  const Tensor* shape = graph.constant(node.input(1));
  if (shape == nullptr || shape->empty()) return;
  std::vector<std::int64_t> sizes = to_ints(*shape);
  const bool leaves_one = std::find(sizes.begin(), sizes.end(), -1) != sizes.end();
  if (leaves_one && sizes[0] != batch) return;
  const auto& input = graph.value(node.input(0)).type.shape;
  const bool same_first = input && !input->empty() && (*input)[0].value == batch;
  if (leaves_one && !same_first) {
    throw UnsupportedError(cat("the reshape to ", shape_text(Shape(sizes)), " needs a batch of ", batch),
                           place_of(graph, node), "export the model with an open batch dimension");
  }
  sizes[0] = leaves_one ? 0 : -1;
  const ValueId opened =
      graph.add_constant(graph.unique_name(cat(graph.value(node.input(1)).name, "_open")), Tensor::ints(sizes));
  graph.node(id).inputs[1] = opened;
  graph.node(id).set("allowzero", std::int64_t{0});
}

/// Values that depend on the graph's inputs by more than their sizes.
std::set<ValueId> computed_values(const Graph& graph) {
  std::set<ValueId> result(graph.inputs().begin(), graph.inputs().end());
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (node.kind == OpKind::Shape || node.kind == OpKind::Size) continue;
    const auto read = values_read(node);
    if (std::none_of(read.begin(), read.end(), [&](ValueId value) { return result.contains(value); })) continue;
    result.insert(node.outputs.begin(), node.outputs.end());
  }
  return result;
}

}  // namespace

Trainable trainable_of(const Graph& graph, const std::vector<std::string>& freeze) {
  return Finder(graph, freeze).find();
}

std::vector<std::string> input_weights(const Graph& graph) {
  const Uses uses(graph);
  const auto is_normalized = [&](const Node& node) {
    const auto readers = uses.of(node.output());
    return std::any_of(readers.begin(), readers.end(),
                       [&](NodeId id) { return graph.node(id).kind == OpKind::BatchNormalization; });
  };
  std::set<ValueId> same(graph.inputs().begin(), graph.inputs().end());  // an input, moved or quantized
  std::vector<std::string> names;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    const bool quantizes = node.kind == OpKind::QuantizeLinear || node.kind == OpKind::DequantizeLinear;
    const bool reads = same.contains(node.input(0));
    if (reads && (quantizes || op_info(node.kind).op_class == OpClass::Movement)) {
      for (const ValueId output : node.outputs) same.insert(output);
    }
    if (!reads || (node.kind != OpKind::Conv && node.kind != OpKind::Gemm && node.kind != OpKind::MatMul)) continue;
    if (is_normalized(node)) continue;
    ValueId weight = node.input(1);
    for (const Node* before = graph.producer_of(weight); before != nullptr; before = graph.producer_of(weight)) {
      weight = before->input(0);
    }
    if (graph.constant(weight) != nullptr) names.push_back(graph.value(weight).name);
  }
  return names;
}

bool is_bias_or_norm(const Graph& graph, ValueId parameter) {
  const Tensor* constant = graph.constant(parameter);
  if (constant != nullptr && constant->rank() <= 1) return true;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const bool recurrent = node.kind == OpKind::RNN || node.kind == OpKind::GRU || node.kind == OpKind::LSTM;
    if (recurrent && (node.input(3) == parameter || node.input(7) == parameter)) return true;
    const bool slope = node.kind == OpKind::PRelu && node.input(1) == parameter;
    if (slope || (is_sum_or_product(node.kind) &&
                  std::find(node.inputs.begin(), node.inputs.end(), parameter) != node.inputs.end())) {
      return true;
    }
  }
  return false;
}

Graph with_open_batch(Graph graph) {
  std::int64_t batch = -1;
  for (const ValueId id : graph.inputs()) {
    const auto& shape = graph.value(id).type.shape;
    if (!shape || shape->empty() || !(*shape)[0].is_known()) continue;
    if (batch >= 0 && batch != (*shape)[0].value) {
      throw UnsupportedError("the model's inputs differ in their first dimension, so it is no batch",
                             {graph.source_file, graph.value(id).name, ""});
    }
    batch = (*shape)[0].value;
  }
  if (batch < 0) return graph;
  const std::set<ValueId> computed = computed_values(graph);
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind == OpKind::Reshape && computed.contains(node.input(0))) open_reshape(graph, id, batch);
  }
  for (const ValueId id : graph.inputs()) {
    auto& shape = graph.value(id).type.shape;
    if (shape && !shape->empty()) (*shape)[0] = Dim::named("batch");
  }
  for (const NodeId id : graph.node_ids()) {
    for (const ValueId output : graph.node(id).outputs) {
      if (output == ValueId::None) continue;
      graph.value(output).type.shape.reset();
      graph.value(output).dims.reset();
    }
  }
  infer_types(graph);
  return graph;
}

}  // namespace adze::train
