#include <functional>

#include "adze/base/text.h"
#include "adze/graph/infer/control.h"
#include "adze/graph/infer/neural.h"

namespace adze {

namespace {

using namespace control;
using Kind = ValueType::Kind;

const Subgraph& subgraph_of(const Node& node, std::string_view name) {
  const Attribute* attribute = node.find(name);
  const Subgraph* subgraph = attribute != nullptr ? std::get_if<Subgraph>(attribute) : nullptr;
  if (subgraph == nullptr || subgraph->graph == nullptr) throw ModelError(cat("attribute ", name, " is missing"));
  return *subgraph;
}

/// Shapes that an earlier inference found, perhaps from other input shapes: they are found again.
void forget_shapes(Graph& body) {
  for (const NodeId id : body.node_ids()) {
    if (infer_function(body.node(id).kind) == nullptr) continue;
    for (const ValueId output : body.node(id).outputs) {
      if (output != ValueId::None) body.value(output).type.shape.reset();
    }
  }
}

/// The types of a subgraph's outputs when its inputs have these types (unknown ones: as declared).
std::vector<ValueType> body_types(InferContext& context, std::string_view attribute,
                                  const std::vector<ValueType>& inputs) {
  const Subgraph& subgraph = subgraph_of(context.node(), attribute);
  Graph body = *subgraph.graph;
  forget_shapes(body);
  if (body.inputs().size() != inputs.size()) {
    throw ModelError(cat(attribute, " has ", body.inputs().size(), " inputs, expected ", inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ValueType& type = body.value(body.inputs()[i]).type;
    if (!inputs[i].is_tensor() || !type.is_tensor()) {
      if (is_known(inputs[i])) type = inputs[i];
      continue;
    }
    if (inputs[i].dtype != DType::Undefined) type.dtype = inputs[i].dtype;
    if (inputs[i].shape) type.shape = inputs[i].shape;
  }
  for (std::size_t i = 0; i < body.captures().size() && i < subgraph.captured.size(); ++i) {
    const Value& outer = context.graph().value(subgraph.captured[i]);
    Value& inner = body.value(body.captures()[i]);
    if (is_known(outer.type)) inner.type = outer.type;
    inner.dims = outer.dims;
  }
  infer_types(body);
  std::vector<ValueType> types;
  for (const ValueId output : body.outputs()) types.push_back(body.value(output).type);
  context.subgraphs.emplace_back(attribute,
                                 Subgraph{std::make_shared<const Graph>(std::move(body)), subgraph.captured});
  return types;
}

void infer_if(InferContext& context) {
  const auto then_types = body_types(context, "then_branch", {});
  const auto else_types = body_types(context, "else_branch", {});
  if (then_types.size() != context.num_outputs() || else_types.size() != context.num_outputs()) {
    throw ModelError(cat("the branches have ", then_types.size(), " and ", else_types.size(), " outputs, the node has ",
                         context.num_outputs()));
  }
  for (std::size_t i = 0; i < then_types.size(); ++i) context.set_output(i, common(then_types[i], else_types[i]));
}

ValueType with_leading(ValueType type, const Dim& dim) {
  if (type.shape) type.shape->insert(type.shape->begin(), dim);
  return type;
}

/// Loosens the carried types until an iteration gives back what it took.
std::vector<ValueType> settled_types(InferContext& context, const std::vector<ValueType>& fixed,
                                     std::vector<ValueType>& carried, std::size_t first_output,
                                     const std::vector<ValueType>& after) {
  for (int round = 0;; ++round) {
    std::vector<ValueType> inputs = fixed;
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    inputs.insert(inputs.end(), after.begin(), after.end());
    context.subgraphs.clear();
    auto outputs = body_types(context, "body", inputs);
    if (outputs.size() < first_output + carried.size()) throw ModelError("the body has too few outputs");
    bool settled = true;
    for (std::size_t i = 0; i < carried.size(); ++i) {
      const ValueType both = common(carried[i], outputs[first_output + i]);
      settled &= type_text(both) == type_text(carried[i]);
      carried[i] = both;
    }
    if (settled || round == 2) return outputs;
    if (round == 1) {  // two rounds did not do: keep only what cannot change
      for (ValueType& type : carried) type.shape.reset();
    }
  }
}

void infer_loop(InferContext& context) {
  std::vector<ValueType> carried;
  for (std::size_t i = 2; i < context.num_inputs(); ++i) carried.push_back(context.type(i));
  const std::vector<ValueType> fixed = {ValueType::tensor(DType::S64, SymbolicShape{}),
                                        ValueType::tensor(DType::Bool, SymbolicShape{})};
  const auto outputs = settled_types(context, fixed, carried, 1, {});
  if (outputs.size() != context.num_outputs() + 1) {
    throw ModelError(cat("the body has ", outputs.size(), " outputs, expected ", context.num_outputs() + 1));
  }
  for (std::size_t i = 0; i < carried.size(); ++i) context.set_output(i, carried[i]);
  for (std::size_t i = carried.size() + 1; i < outputs.size(); ++i) {
    context.set_output(i - 1, with_leading(outputs[i], Dim()));
  }
}

void infer_scan(InferContext& context) {
  const Node& node = context.node();
  const std::int64_t scans = node.get_int("num_scan_inputs");
  const auto inputs = static_cast<std::int64_t>(context.num_inputs());
  if (scans < 1 || scans > inputs) throw ModelError(cat("num_scan_inputs is ", scans, " with ", inputs, " inputs"));
  const auto states = static_cast<std::size_t>(inputs - scans);
  const auto axes = node.get_ints("scan_input_axes"), out_axes = node.get_ints("scan_output_axes");
  std::vector<ValueType> carried, slices;
  Dim length;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    ValueType type = context.type(i);
    if (i >= states && type.shape) {
      const std::size_t at = i - states;
      const std::int64_t axis =
          normalize_axis(at < axes.size() ? axes[at] : 0, static_cast<std::int64_t>(type.shape->size()));
      length = neural::unified(length, (*type.shape)[static_cast<std::size_t>(axis)], "lengths of scan inputs");
      type.shape->erase(type.shape->begin() + axis);
    }
    (i < states ? carried : slices).push_back(std::move(type));
  }
  const auto outputs = settled_types(context, {}, carried, 0, slices);
  if (outputs.size() != context.num_outputs()) throw ModelError("the body has another number of outputs");
  for (std::size_t i = 0; i < carried.size(); ++i) context.set_output(i, carried[i]);
  for (std::size_t i = states; i < outputs.size(); ++i) {
    ValueType type = outputs[i];
    if (type.shape) {
      const std::int64_t axis = i - states < out_axes.size() ? out_axes[i - states] : 0;
      const std::int64_t at = normalize_axis(axis, static_cast<std::int64_t>(type.shape->size()) + 1);
      type.shape->insert(type.shape->begin() + at, length);
    }
    context.set_output(i, std::move(type));
  }
}

void infer_sequence_map(InferContext& context) {
  std::vector<ValueType> inputs;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    const ValueType& type = context.type(i);
    inputs.push_back(type.kind == Kind::Sequence ? element_or_unknown(type) : type);
  }
  const auto outputs = body_types(context, "body", inputs);
  if (outputs.size() != context.num_outputs()) throw ModelError("the body has another number of outputs");
  for (std::size_t i = 0; i < outputs.size(); ++i) context.set_output(i, ValueType::sequence(outputs[i]));
}

}  // namespace

std::span<const InferEntry> control_inference() {
  static constexpr InferEntry entries[] = {
      {OpKind::ConcatFromSequence, infer_concat_from_sequence},
      {OpKind::If, infer_if},
      {OpKind::Loop, infer_loop},
      {OpKind::Optional, infer_optional},
      {OpKind::OptionalGetElement, infer_get_element},
      {OpKind::OptionalHasElement, infer_has_element},
      {OpKind::Scan, infer_scan},
      {OpKind::SequenceAt, infer_sequence_at},
      {OpKind::SequenceConstruct, infer_sequence_construct},
      {OpKind::SequenceEmpty, infer_sequence_empty},
      {OpKind::SequenceErase, infer_same_type},
      {OpKind::SequenceInsert, infer_sequence_insert},
      {OpKind::SequenceLength, infer_scalar_count},
      {OpKind::SequenceMap, infer_sequence_map},
      {OpKind::SplitToSequence, infer_split_to_sequence},
  };
  return entries;
}

}  // namespace adze
