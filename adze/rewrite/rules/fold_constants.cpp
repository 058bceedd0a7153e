#include "adze/rewrite/rules/fold_constants.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

constexpr std::int64_t max_growth_bytes = 64 << 10;
constexpr std::int64_t max_blind_bytes = 4 << 10;

bool may_fold(const Node& node) {
  const OpClass op_class = op_info(node.kind).op_class;
  return op_class != OpClass::Random && op_class != OpClass::Control && node.kind != OpKind::DequantizeLinear &&
         node.kind != OpKind::Constant;
}

/// Operators whose result may be far larger than their inputs.
bool may_grow(OpKind kind) {
  switch (kind) {
    case OpKind::ConstantOfShape:
    case OpKind::Expand:
    case OpKind::Tile:
    case OpKind::Range:
    case OpKind::Resize:
    case OpKind::Upsample:
    case OpKind::Pad:
    case OpKind::OneHot:
    case OpKind::CenterCropPad:
    case OpKind::Col2Im:
    case OpKind::AffineGrid:
    case OpKind::MelWeightMatrix:
    case OpKind::BlackmanWindow:
    case OpKind::HammingWindow:
    case OpKind::HannWindow:
    case OpKind::MaxUnpool:
    case OpKind::Gather:
    case OpKind::Einsum:
    case OpKind::MatMul:
      return true;
    default:
      return false;
  }
}

std::int64_t tensor_bytes(const Tensor& tensor) {
  if (tensor.dtype() != DType::String) return tensor.num_bytes();
  std::int64_t bytes = 0;
  for (const std::string& text : tensor.data<std::string>()) bytes += std::ssize(text);
  return bytes;
}

/// The bytes that the results will take, when their types say it.
std::optional<std::int64_t> result_bytes(const RuleContext& context, const Node& node) {
  std::int64_t total = 0;
  for (const ValueId output : node.outputs) {
    if (output == ValueId::None) continue;
    const auto shape = context.known_shape(output);
    if (!shape || context.dtype(output) == DType::Undefined) return std::nullopt;
    try {
      const std::int64_t bytes = storage_bytes(context.dtype(output), num_elements(*shape));
      if (bytes > context.max_fold_bytes) return bytes;
      total += bytes;
    } catch (const ModelError&) {
      return context.max_fold_bytes + 1;
    }
  }
  return total;
}

/// Is the result small enough to be worth storing?
bool fits(const RuleContext& context, const Node& node) {
  std::int64_t freed = 0, all = 0;
  std::vector<ValueId> inputs = values_read(node);
  std::sort(inputs.begin(), inputs.end());
  inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  for (const ValueId input : inputs) {
    const std::int64_t bytes = tensor_bytes(*context.graph.constant(input));
    all += bytes;
    if (context.uses.single(input)) freed += bytes;
  }
  const auto result = result_bytes(context, node);
  if (!result) return all <= max_blind_bytes && !may_grow(node.kind);
  return *result <= context.max_fold_bytes && *result <= freed + max_growth_bytes;
}

/// An edit that puts these constants in the place of the node's outputs, except where an output of the graph needs
/// a node to carry its name.
std::optional<GraphEdit> replace_outputs(const RuleContext& context, const Node& node, std::vector<Tensor> results,
                                         std::string_view why) {
  GraphEdit edit(context.graph, cat(why, ' ', node.name));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId output = node.outputs[i];
    if (output == ValueId::None) continue;
    const ValueType& type = context.graph.value(output).type;
    if (type.dtype != DType::Undefined && type.dtype != results[i].dtype()) return std::nullopt;
    if (type.shape && !compatible(*type.shape, symbolic(results[i].shape()))) return std::nullopt;
    edit.replace(output, edit.add_constant(context.graph.value(output).name, std::move(results[i])));
  }
  return edit;
}

std::optional<GraphEdit> fold(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  if (!context.evaluate || !may_fold(node)) return std::nullopt;
  if (node.kind == OpKind::Identity && context.uses.is_output(node.output())) return std::nullopt;
  std::vector<const Tensor*> inputs;
  for (const ValueId input : node.inputs) {
    const Tensor* constant = context.graph.constant(input);
    if (input != ValueId::None && constant == nullptr) return std::nullopt;
    inputs.push_back(constant);
  }
  if (!fits(context, node)) return std::nullopt;
  try {
    auto results = context.evaluate(context.graph, node, inputs);
    if (!results || results->size() != node.outputs.size()) return std::nullopt;
    for (const Tensor& result : *results) {
      if (tensor_bytes(result) > context.max_fold_bytes) return std::nullopt;
    }
    return replace_outputs(context, node, std::move(*results), "compute");
  } catch (const ModelError&) {
    return std::nullopt;  // what cannot be computed now is reported when the network runs
  }
}

/// The content of an integer value that follows from shapes alone.
std::optional<Tensor> from_fact(const Value& value) {
  const DType dtype = value.type.dtype;
  if (!value.dims || (dtype != DType::S64 && dtype != DType::S32) || !value.type.shape) return std::nullopt;
  const auto shape = concrete(*value.type.shape);
  const auto numbers = concrete(*value.dims);
  if (!shape || !numbers || num_elements(*shape) != std::ssize(*numbers)) return std::nullopt;
  Tensor tensor(dtype, *shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, (*numbers)[static_cast<std::size_t>(i)]);
  return tensor;
}

std::optional<GraphEdit> fold_shape_fact(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  if (node.outputs.size() != 1 || op_info(node.kind).op_class == OpClass::Control || node.kind == OpKind::Identity) {
    return std::nullopt;
  }
  auto tensor = from_fact(context.graph.value(node.output()));
  if (!tensor) return std::nullopt;
  return replace_outputs(context, node, {std::move(*tensor)}, "know the shape");
}

}  // namespace

std::vector<Rule> fold_constants_rules() {
  return {{"fold-shape-fact", Exactness::Exact, {}, fold_shape_fact}, {"fold-constant", Exactness::Exact, {}, fold}};
}

}  // namespace adze::rewrite
