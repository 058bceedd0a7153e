#include "adze/formats/onnx/upgrade.h"

#include <array>

#include "adze/base/text.h"
#include "adze/graph/infer.h"

namespace adze::onnx {

namespace {

const std::vector<std::vector<UpgradeRule>>& rules_by_kind() {
  static const auto rules = [] {
    std::vector<std::vector<UpgradeRule>> result(num_op_kinds);
    for (const auto table : {attribute_upgrades(), arithmetic_upgrades(), control_upgrades(), neural_upgrades(),
                             normalization_upgrades(), resize_upgrades(), softmax_upgrades()}) {
      for (const UpgradeRule& rule : table) result[static_cast<std::size_t>(rule.kind)].push_back(rule);
    }
    return result;
  }();
  return rules;
}

/// Declared types win where they say something; infer_types() compares them in the end.
void merge(ValueType& declared, const ValueType& inferred) {
  const bool nothing_declared = declared.is_tensor() && declared.dtype == DType::Undefined && !declared.shape;
  if (nothing_declared) {
    declared = inferred;
    return;
  }
  if (!declared.is_tensor() || !inferred.is_tensor()) return;
  if (declared.dtype == DType::Undefined) declared.dtype = inferred.dtype;
  if (!declared.shape) declared.shape = inferred.shape;
}

}  // namespace

template <typename T>
std::optional<T> Upgrade::take(std::string_view name) {
  const Attribute* attribute = node.find(name);
  if (attribute == nullptr) return std::nullopt;
  const T* value = std::get_if<T>(attribute);
  if (value == nullptr) throw ModelError(cat("attribute ", quoted(name), " has the wrong type"));
  T result = *value;
  node.erase(name);
  return result;
}

template std::optional<std::int64_t> Upgrade::take(std::string_view);
template std::optional<float> Upgrade::take(std::string_view);
template std::optional<std::string> Upgrade::take(std::string_view);
template std::optional<std::vector<std::int64_t>> Upgrade::take(std::string_view);
template std::optional<std::vector<float>> Upgrade::take(std::string_view);

std::optional<std::int64_t> Upgrade::peek_int(std::string_view name) const {
  const Attribute* attribute = node.find(name);
  if (attribute == nullptr) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(attribute);
  if (value == nullptr) throw ModelError(cat("attribute ", quoted(name), " has the wrong type"));
  return *value;
}

std::string Upgrade::fresh(std::string_view suffix) {
  return names_.fresh(cat(node.name, "_", suffix));
}

ValueId Upgrade::constant(std::string_view suffix, Tensor tensor) {
  return graph.add_constant(fresh(suffix), std::move(tensor));
}

ValueId Upgrade::number_like(std::string_view suffix, float number, ValueId like) {
  const DType dtype = like == ValueId::None ? DType::F32 : graph.value(like).type.dtype;
  const Tensor scalar = Tensor::scalar<float>(number);
  if (dtype != DType::Undefined) return constant(suffix, converted(scalar, dtype));
  return add(OpKind::CastLike, {constant(cat(suffix, "_f32"), scalar), like}, {}, suffix);
}

ValueId Upgrade::add(OpKind kind, std::vector<ValueId> inputs,
                     std::vector<std::pair<std::string, Attribute>> attributes, std::string_view suffix) {
  Node added;
  added.kind = kind;
  added.name = fresh(suffix);
  added.inputs = std::move(inputs);
  for (auto& [key, value] : attributes) added.set(std::move(key), std::move(value));
  added.outputs = {graph.add_value(names_.fresh(cat(added.name, ":0")))};
  const ValueId output = added.output();
  graph.add_node(added);
  infer_outputs(graph, graph.node(graph.value(output).producer));
  return output;
}

ValueId Upgrade::insert_after(OpKind kind, std::size_t output, std::vector<ValueId> more_inputs,
                              std::vector<std::pair<std::string, Attribute>> attributes, std::string_view suffix) {
  Node added;
  added.kind = kind;
  added.name = fresh(suffix);
  const ValueId between = graph.add_value(names_.fresh(cat(added.name, ":in")));
  added.inputs = {between};
  added.inputs.insert(added.inputs.end(), more_inputs.begin(), more_inputs.end());
  for (auto& [key, value] : attributes) added.set(std::move(key), std::move(value));
  added.outputs = {node.outputs.at(output)};
  node.outputs[output] = between;
  after.insert(after.begin(), std::move(added));
  return between;
}

void Upgrade::set_input(std::size_t i, ValueId value) {
  if (node.inputs.size() <= i) node.inputs.resize(i + 1, ValueId::None);
  node.inputs[i] = value;
}

const ValueType& Upgrade::type(std::size_t i) const {
  static const ValueType unknown;
  const ValueId id = node.input(i);
  return id == ValueId::None ? unknown : graph.value(id).type;
}

std::optional<std::int64_t> Upgrade::rank(std::size_t i) const {
  if (!type(i).shape) return std::nullopt;
  return static_cast<std::int64_t>(type(i).shape->size());
}

std::int64_t Upgrade::known_rank(std::size_t i) const {
  const auto known = rank(i);
  if (!known) {
    throw UnsupportedError(
        cat("in opset ", opset, " this operator needs the rank of input ", i, ", which is not known"), {},
        "declare the shapes of the model's inputs and values");
  }
  return *known;
}

std::vector<std::int64_t> Upgrade::constant_ints(std::size_t i) const {
  const Tensor* tensor = graph.constant(node.input(i));
  if (tensor == nullptr || !is_integer(tensor->dtype())) {
    throw UnsupportedError(
        cat("in opset ", opset, " this operator is supported with constant integers at input ", i, " only"));
  }
  return to_ints(*tensor);
}

void infer_outputs(Graph& graph, const Node& node) {
  const InferContext context = infer_node(graph, node);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == ValueId::None) continue;
    Value& value = graph.value(node.outputs[i]);
    merge(value.type, context.output_types[i]);
    value.dims = context.output_dims[i];
  }
}

void upgrade_node(Upgrade& upgrade) {
  if (op_info(upgrade.node.kind).domain != Domain::Onnx) return;
  // Until opset 6, many operators said which inputs they overwrite.
  if (upgrade.opset < 6) upgrade.node.erase("consumed_inputs");
  // A rule may change the kind (Upsample, Scatter); the rules of the new kind do not apply.
  for (const UpgradeRule& rule : rules_by_kind()[static_cast<std::size_t>(upgrade.node.kind)]) {
    if (upgrade.opset >= rule.first && upgrade.opset <= rule.last) rule.apply(upgrade);
  }
}

}  // namespace adze::onnx
