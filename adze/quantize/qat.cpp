#include "adze/quantize/qat.h"

#include <algorithm>
#include <array>
#include <map>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/pack_codes.h"
#include "adze/quantize/weights.h"

namespace adze::quantize {

namespace {

constexpr const char* rule_key = "adze.fake_quant";
constexpr const char* signs_key = "adze.code_signs";
constexpr std::array<std::string_view, 3> names = {"learned", "moving_average", "fixed"};

std::optional<std::int64_t> axis_of(const Graph& graph, const Node& node) {
  const Tensor* scale = graph.constant(node.input(1));
  if (scale == nullptr || scale->size() == 1) return std::nullopt;
  return normalize_axis(node.get_int("axis"), graph.constant(node.input(0))->rank());
}

TensorScales scales_of(const Graph& graph, const Node& node) {
  const Tensor& steps = *graph.constant(node.input(1));
  const Tensor* zero_points = graph.constant(node.input(2));
  TensorScales result;
  for (std::int64_t i = 0; i < steps.size(); ++i) {
    const auto zero = zero_points != nullptr ? static_cast<std::int32_t>(zero_points->get_int(i)) : 0;
    result.scales.push_back({static_cast<float>(steps.get_double(i)), zero});
  }
  result.axis = axis_of(graph, node);
  return result;
}

/// "conv1_weight_quantized" → "conv1_weight"
std::string original_name(const std::string& stored) {
  constexpr std::string_view ending = "_quantized";
  return stored.ends_with(ending) ? stored.substr(0, stored.size() - ending.size()) : stored;
}

class Former {
 public:
  Former(Graph& graph, const Graph& float_graph, QatScales scales)
      : graph_(graph), float_graph_(float_graph), scales_(scales) {}

  void run() {
    for (const NodeId id : graph_.node_ids()) {
      if (graph_.node(id).kind == OpKind::DequantizeLinear) open_constant(id);
    }
    for (const NodeId id : graph_.node_ids()) {
      if (graph_.node(id).kind == OpKind::QuantizeLinear) mark(graph_.node(id));
    }
    for (const NodeId id : topological_order(graph_)) join_scales(graph_.node(id));
    replace_scales();
  }

  int layers() const { return layers_; }

 private:
  void mark(Node& node) {
    if (scales_ != QatScales::Fixed) node.metadata[rule_key] = std::string(qat_scales_name(scales_));
  }

  Tensor float_values(const Node& node, const std::string& name) {
    const Tensor& codes = *graph_.constant(node.input(0));
    const ValueId source = float_graph_.find_value(name);
    const Tensor* exact = source != ValueId::None ? float_graph_.constant(source) : nullptr;
    if (exact != nullptr && exact->dtype() == DType::F32 && exact->shape() == codes.shape()) return *exact;
    return dequantized(codes, scales_of(graph_, node));
  }

  /// Stored codes → f32, with a quantizer for weights.
  void open_constant(NodeId id) {
    const Node node = graph_.node(id);
    if (graph_.constant(node.input(0)) == nullptr) return;
    const Tensor codes = *graph_.constant(node.input(0));
    const std::string name = original_name(graph_.value(node.input(0)).name);
    const ValueId values = graph_.add_constant(graph_.unique_name(cat(name, "_trained")), float_values(node, name));
    if (codes.dtype() == DType::S32) {
      const Uses uses(graph_);
      for (const NodeId reader : uses.of(node.output())) {
        auto& inputs = graph_.node(reader).inputs;
        std::replace(inputs.begin(), inputs.end(), node.output(), values);
      }
      graph_.remove_node(id);
      return;
    }
    ++layers_;
    std::vector<std::pair<std::string, Attribute>> attributes;
    if (node.has("axis")) attributes.emplace_back("axis", node.get_int("axis"));
    // Without zero points a QuantizeLinear would make u8.
    ValueId zero_point = node.input(2);
    if (zero_point == ValueId::None) {
      const Shape& shape = graph_.constant(node.input(1))->shape();
      zero_point = graph_.add_constant(graph_.unique_name(cat(name, "_zero_point")), Tensor(DType::S8, shape));
      graph_.node(id).inputs.resize(2);
      graph_.node(id).inputs.push_back(zero_point);
    }
    const std::vector<ValueId> inputs{values, node.input(1), zero_point};
    const ValueId quantized =
        graph_.add(OpKind::QuantizeLinear, inputs, std::move(attributes), graph_.unique_name(cat(name, "_fake")));
    graph_.node(id).inputs[0] = quantized;
    Node& quantize = graph_.node(graph_.value(quantized).producer);
    const std::int64_t widest = narrow_reach(codes);
    set_code_window(quantize, -widest, widest);
    if (are_signs(codes)) quantize.metadata.emplace(signs_key, "1");
  }

  /// The symmetric window that the codes lie in: that of the fewest bits which hold them.
  static std::int64_t narrow_reach(const Tensor& codes) {
    std::int64_t largest = 1;
    for (std::int64_t i = 0; i < codes.size(); ++i) largest = std::max(largest, std::abs(codes.get_int(i)));
    std::int64_t reach = 1;
    while (reach < largest) reach = 2 * reach + 1;
    return reach;
  }

  /// Weights of one bit: -1 and 1, nowhere 0.
  static bool are_signs(const Tensor& codes) {
    for (std::int64_t i = 0; i < codes.size(); ++i) {
      if (std::abs(codes.get_int(i)) != 1) return false;
    }
    return true;
  }

  /// A movement operator's output has its input's scale: all its quantizers get the first one's.
  void join_scales(const Node& node) {
    if (role_of(node.kind) != Role::Movement) return;
    std::vector<NodeId> quantizers;
    for (const std::size_t input : data_inputs(node)) {
      const Node* dequantize = graph_.producer_of(node.input(input));
      if (dequantize == nullptr || dequantize->kind != OpKind::DequantizeLinear) continue;
      if (const NodeId id = graph_.value(dequantize->input(0)).producer; id != NodeId::None) quantizers.push_back(id);
    }
    const Uses uses(graph_);
    for (const ValueId output : node.outputs) {
      if (output == ValueId::None) continue;
      for (const NodeId reader : uses.of(output)) {
        if (graph_.node(reader).kind == OpKind::QuantizeLinear) quantizers.push_back(reader);
      }
    }
    for (std::size_t i = 1; i < quantizers.size(); ++i) {
      const Node &first = graph_.node(quantizers[0]), &other = graph_.node(quantizers[i]);
      joined_[other.input(1)] = first.input(1);
      joined_[other.input(2)] = first.input(2);
    }
  }

  ValueId root(ValueId id) const {
    for (auto found = joined_.find(id); found != joined_.end() && found->second != id; found = joined_.find(id)) {
      id = found->second;
    }
    return id;
  }

  void replace_scales() {
    for (const NodeId id : graph_.node_ids()) {
      Node& node = graph_.node(id);
      if (node.kind != OpKind::QuantizeLinear && node.kind != OpKind::DequantizeLinear) continue;
      for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        if (node.inputs[i] != ValueId::None) node.inputs[i] = root(node.inputs[i]);
      }
    }
  }

  Graph& graph_;
  const Graph& float_graph_;
  QatScales scales_;
  std::map<ValueId, ValueId> joined_;
  int layers_ = 0;
};

/// f32 weights behind a QuantizeLinear → stored codes. Returns the scales by DequantizeLinear output.
void store_weights(Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node node = graph.node(id);
    if (node.kind != OpKind::QuantizeLinear || graph.constant(node.input(0)) == nullptr) continue;
    const auto bound = [&](const char* key) {
      return static_cast<std::int32_t>(std::strtol(node.metadata.at(key).c_str(), nullptr, 10));
    };
    const IntegerGrid grid{DType::S8, bound("adze.code_low"), bound("adze.code_high"), true};
    const Tensor& exact = *graph.constant(node.input(0));
    const Tensor codes =
        node.metadata.contains(signs_key) ? sign_codes(exact) : quantized(exact, scales_of(graph, node), grid);
    std::string name = graph.value(node.input(0)).name;
    if (name.ends_with("_trained")) name.resize(name.size() - 8);
    const ValueId stored = graph.add_constant(graph.unique_name(cat(name, "_quantized")), codes);
    const Uses uses(graph);
    for (const NodeId reader : uses.of(node.output())) graph.node(reader).inputs[0] = stored;
    graph.remove_node(id);
  }
}

/// f32 biases of layers whose input and weights are quantized → stored 32-bit codes.
void store_biases(Graph& graph) {
  Inserter inserter(graph);
  for (const NodeId id : graph.node_ids()) {
    const Node node = graph.node(id);
    const auto bias = bias_input(node);
    if (!bias) continue;
    const Tensor* values = graph.constant(node.input(*bias));
    const Node* x = graph.producer_of(node.input(0));
    const Node* w = graph.producer_of(node.input(1));
    const auto dequantizes = [](const Node* one) { return one != nullptr && one->kind == OpKind::DequantizeLinear; };
    if (values == nullptr || values->dtype() != DType::F32 || !dequantizes(x) || !dequantizes(w)) continue;
    const auto input_scale = static_cast<float>(graph.constant(x->input(1))->get_double(0));
    const TensorScales weights = scales_of(graph, *w);
    const QuantizedWeight codes = quantize_bias(graph, node, *values, weights, input_scale);
    std::string name = graph.value(node.input(*bias)).name;
    if (name.ends_with("_trained")) name.resize(name.size() - 8);
    const ValueId restored = inserter.dequantized_constant(name, codes.codes, codes.scales);
    graph.node(id).inputs[*bias] = restored;
  }
}

void finish(Graph& graph) {
  graph.compact();
  infer_types(graph);
  verify(graph);
}

}  // namespace

std::string_view qat_scales_name(QatScales scales) {
  return names[static_cast<std::size_t>(scales)];
}

QatScales qat_scales_from_name(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<QatScales>(i);
  }
  const std::vector<std::string> candidates(names.begin(), names.end());
  throw UsageError(cat("scales are ", join(candidates, ", "), ", not ", quoted(name)));
}

bool is_statically_quantized(const Graph& graph) {
  bool weights = false, activations = false;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    weights |= node.kind == OpKind::DequantizeLinear && graph.constant(node.input(0)) != nullptr;
    activations |= node.kind == OpKind::QuantizeLinear && graph.constant(node.input(0)) == nullptr;
  }
  return weights && activations;
}

Graph qat_training_form(Graph quantized, const Graph& float_graph, QatScales scales) {
  open_code_windows(quantized);
  Former former(quantized, float_graph, scales);
  former.run();
  if (former.layers() == 0) {
    throw ModelError("the graph has no quantized layer to train", {quantized.source_file, "", ""},
                     "quantize it in mode static first");
  }
  finish(quantized);
  return quantized;
}

Graph qat_deployment_form(Graph trained) {
  store_weights(trained);
  store_biases(trained);
  pack_codes(trained);
  clip_code_windows(trained);
  for (const NodeId id : trained.node_ids()) trained.node(id).metadata.erase(rule_key);
  finish(trained);
  return trained;
}

Graph qat_float_form(Graph trained) {
  for (const NodeId id : trained.node_ids()) {
    const Node node = trained.node(id);
    const Node* quantize = trained.producer_of(node.input(0));
    if (node.kind != OpKind::DequantizeLinear || quantize == nullptr || quantize->kind != OpKind::QuantizeLinear)
      continue;
    const ValueId exact = quantize->input(0);
    const Uses uses(trained);
    for (const NodeId reader : uses.of(node.output())) {
      auto& inputs = trained.node(reader).inputs;
      std::replace(inputs.begin(), inputs.end(), node.output(), exact);
    }
    std::vector<ValueId> outputs = trained.outputs();
    std::replace(outputs.begin(), outputs.end(), node.output(), exact);
    trained.set_outputs(std::move(outputs));
    trained.remove_node(id);
  }
  finish(trained);
  return trained;
}

}  // namespace adze::quantize
