#include "adze/formats/tflite/writer.h"

#include <algorithm>
#include <limits>

#include "adze/base/progress.h"
#include "adze/formats/tflite/write_signed.h"
#include "adze/graph/infer.h"

namespace adze::tflite {

const WriteEntry* find_writer(OpKind kind) {
  static const auto table = [] {
    std::map<OpKind, WriteEntry> entries;
    for (const auto family : {neural_writers(), product_writers(), elementwise_writers(), movement_writers(),
                              slicing_writers(), reduction_writers(), composed_writers()}) {
      for (const WriteEntry& entry : family) entries.emplace(entry.kind, entry);
    }
    return entries;
  }();
  const auto found = table.find(kind);
  return found == table.end() ? nullptr : &found->second;
}

namespace {

/// Every open first dimension of an input is 1 while the model is built; the values that depend on it are noted.
Graph with_batch_of_one(Graph graph) {
  std::map<std::string, std::int64_t> symbols;
  for (const ValueId id : graph.inputs()) {
    Value& input = graph.value(id);
    if (!input.type.is_tensor() || !input.type.shape) {
      throw UnsupportedError(cat("input ", adze::quoted(input.name), " has no known rank"),
                             {graph.source_file, "", ""});
    }
    for (std::size_t i = 0; i < input.type.shape->size(); ++i) {
      Dim& dim = (*input.type.shape)[i];
      if (dim.is_known()) continue;
      if (i != 0) {
        throw UnsupportedError(cat("input ", adze::quoted(input.name), " has shape ", shape_text(*input.type.shape),
                                   "; only the first dimension may be open in TFLite"),
                               {graph.source_file, "", ""}, "write a model with fixed sizes");
      }
      if (!dim.symbol.empty()) symbols.emplace(dim.symbol, 1);
      dim = Dim(1);
    }
  }
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    ValueType& type = graph.value(static_cast<ValueId>(i)).type;
    if (!type.shape) continue;
    for (Dim& dim : *type.shape) {
      if (!dim.is_known() && symbols.contains(dim.symbol)) dim = Dim(1);
    }
  }
  infer_types(graph);
  return graph;
}

std::optional<Quantization> quantization_of(const Graph& graph, const Node& node) {
  const Tensor* scales = graph.constant(node.input(1));
  const Tensor* zero_points = graph.constant(node.input(2));
  if (scales == nullptr || scales->rank() > 1 || scales->empty() || node.get_int("block_size") != 0)
    return std::nullopt;
  if (node.input(2) != ValueId::None && zero_points == nullptr) return std::nullopt;
  Quantization result;
  result.scales = to_floats(*scales);
  result.zero_points.assign(result.scales.size(), 0);
  if (zero_points != nullptr) {
    for (std::size_t i = 0; i < result.scales.size(); ++i) {
      result.zero_points[i] = zero_points->get_int(zero_points->size() == 1 ? 0 : static_cast<std::int64_t>(i));
    }
  }
  if (scales->rank() == 1 && scales->size() > 1) result.axis = node.get_int("axis");
  return result;
}

}  // namespace

Writer::Writer(const Graph& graph) : graph_(with_batch_of_one(with_signed_activations(graph))), uses_(graph_) {
  for (std::int32_t i = 0; i < graph_.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const Value& value = graph_.value(id);
    if (value.constant) {
      shapes_[id] = value.constant->shape();
    } else if (value.type.shape) {
      if (const auto known = concrete(*value.type.shape)) shapes_[id] = *known;
    }
    if (i >= graph.num_values()) continue;  // added for signed integers
    const auto& given = graph.value(id).type.shape;
    if (given && !given->empty() && !value.constant && !given->front().is_known()) open_.insert(id);
  }
}

OutputModel Writer::run() {
  model_.name = graph_.name;
  model_.description = graph_.doc;
  for (const auto& [name, value] : graph_.metadata) {
    const bool follows_from_file = name == "adze.rounding" || name == "adze.source_layout";
    if (name.starts_with(own_metadata) && !follows_from_file) model_.metadata[name] = value;
  }
  find_quantization();
  find_wanted_layouts();
  add_inputs();
  for (const NodeId id : topological_order(graph_)) {
    check_cancelled();
    if (done_.contains(id)) continue;
    try {
      add_node(id);
    } catch (const Error& error) {
      rethrow_with_place(error, place_of(graph_, graph_.node(id)));
    }
  }
  add_outputs();
  return std::move(model_);
}

void Writer::find_quantization() {
  for (const NodeId id : graph_.node_ids()) {
    const Node& node = graph_.node(id);
    const bool quantize = node.kind == OpKind::QuantizeLinear;
    if (!quantize && node.kind != OpKind::DequantizeLinear) continue;
    const auto found = quantization_of(graph_, node);
    if (!found) continue;
    const ValueId integers = quantize ? node.output() : node.input(0);
    const auto [place, fresh] = quantizations_.emplace(integers, *found);
    if (!fresh && (place->second.scales != found->scales || place->second.zero_points != found->zero_points)) {
      throw UnsupportedError(cat("value ", adze::quoted(graph_.value(integers).name), " is read with two scales"),
                             place_of(graph_, node));
    }
  }
}

void Writer::find_wanted_layouts() {
  const std::vector<NodeId> order = topological_order(graph_);
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    const Node& node = graph_.node(*at);
    const WriteEntry* entry = find_writer(node.kind);
    const bool quantization = node.kind == OpKind::QuantizeLinear || node.kind == OpKind::DequantizeLinear;
    if (entry == nullptr && !quantization) continue;
    const LayoutNeed need = quantization ? LayoutNeed::Follows : entry->need;
    if (need == LayoutNeed::Plain) continue;
    const bool handed_on = std::ranges::any_of(node.outputs, [&](ValueId id) { return wanted_.contains(id); });
    if (need == LayoutNeed::Follows && !handed_on) continue;
    for (const ValueId id : node.inputs) {
      if (id == ValueId::None || !shapes_.contains(id) || rank(id) != 4) continue;
      wanted_.insert(id);
      if (need == LayoutNeed::Spatial) break;  // the picture is the first input
    }
  }
}

void Writer::add_inputs() {
  for (const ValueId id : graph_.inputs()) {
    const bool last = wanted_.contains(id);
    last_[id] = last;
    OutputTensor tensor;
    tensor.name = fresh(graph_.value(id).name);
    tensor.dtype = graph_.value(id).type.dtype;
    tensor.shape = shape_in_file(id, last);
    tensor.open_batch = open_.contains(id);
    if (const auto found = quantizations_.find(id); found != quantizations_.end()) tensor.quantization = found->second;
    tensors_[{id, last}] = static_cast<std::int32_t>(model_.tensors.size());
    model_.inputs.push_back(static_cast<std::int32_t>(model_.tensors.size()));
    model_.tensors.push_back(std::move(tensor));
  }
}

void Writer::add_outputs() {
  for (const ValueId id : graph_.outputs()) {
    const Step none;
    model_.outputs.push_back(operand(none, id));
  }
}

void Writer::add_node(NodeId id) {
  const Node& node = graph_.node(id);
  if (node.kind == OpKind::DequantizeLinear) return;  // read through by whoever takes integers, else added then
  if (node.kind == OpKind::QuantizeLinear) {
    add_quantize(node);
    return;
  }
  const WriteEntry* entry = find_writer(node.kind);
  if (entry == nullptr) {
    throw UnsupportedError(cat("operator ", op_name(node.kind), " has no form in TFLite"), {},
                           "write the model as .onnx");
  }
  for (const ValueId value : values_read(node)) {
    if (!shapes_.contains(value)) {
      throw UnsupportedError(cat("the shape of ", adze::quoted(graph_.value(value).name), " is not known"));
    }
  }
  Step step = step_of(id);
  step.quantized = can_be_quantized(step, entry->integers);
  entry->write(*this, step);
}

void Writer::add_quantize(const Node& node) {
  const ValueId from = node.input(0), to = node.output();
  if (quantization(to) == nullptr) throw UnsupportedError("the scale is not one constant");
  Step step;
  step.quantized = stored(from) != from;
  const std::int32_t input = operand(step, from);
  const bool last = lies_last(from);
  const std::int32_t output = new_tensor(graph_.value(to).name, input, shape_in_file(to, last));
  tensor(output).dtype = graph_.value(to).type.dtype;
  tensor(output).quantization = *quantization(to);
  add({.code = 114, .options_kind = 89}, {input}, {output});
  tensors_[{to, last}] = output;
  last_[to] = last;
}

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

/// The fused activation that clips to these bounds, or None.
Activation activation_of(const std::pair<float, float>& clip) {
  if (clip == std::pair(0.0f, infinite)) return Activation::Relu;
  if (clip == std::pair(0.0f, 6.0f)) return Activation::Relu6;
  if (clip == std::pair(-1.0f, 1.0f)) return Activation::ReluN1To1;
  return Activation::None;
}

}  // namespace

bool Writer::absorb_clip(const Node& node, Target& target) const {
  std::pair<float, float> clip = target.clip.value_or(std::pair(-infinite, infinite));
  if (node.kind == OpKind::Relu) {
    clip.first = std::max(clip.first, 0.0f);
  } else if (node.kind == OpKind::Clip) {
    for (std::size_t i = 1; i < 3; ++i) {
      if (node.input(i) == ValueId::None) continue;
      const Tensor* bound = graph_.constant(node.input(i));
      if (bound == nullptr || bound->dtype() != DType::F32 || bound->size() != 1) return false;
      const float value = bound->data<float>()[0];
      if (i == 1)
        clip.first = std::max(clip.first, value);
      else
        clip.second = std::min(clip.second, value);
    }
  } else {
    return false;
  }
  if (!(clip.first <= clip.second)) return false;
  target.clip = clip;
  return true;
}

/// Follows the value through activations to a QuantizeLinear; without one, through an activation that the operator
/// fuses.
void Writer::absorb(Target& target, bool fuses) {
  target.result = target.raw;
  Target seen = target;
  std::vector<NodeId> chain;
  std::optional<Target> floating;
  std::size_t floating_length = 0;
  while (uses_.single(seen.result)) {
    const NodeId id = uses_.of(seen.result)[0];
    const Node& next = graph_.node(id);
    if (next.input(0) != seen.result) break;
    if (next.kind == OpKind::QuantizeLinear) {
      const Quantization* scales = quantization(next.output());
      if (scales == nullptr || scales->scales.size() != 1) break;
      seen.result = next.output();
      chain.push_back(id);
      done_.insert(chain.begin(), chain.end());
      target = seen;
      break;
    }
    if (!absorb_clip(next, seen)) break;
    seen.result = next.output();
    chain.push_back(id);
    if (fuses && activation_of(*seen.clip) != Activation::None) {
      floating = seen;
      floating_length = chain.size();
    }
  }
  if (target.result == target.raw && floating) {
    target = *floating;
    done_.insert(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(floating_length));
  }
  if (target.clip && activation_of(*target.clip) != Activation::None) {
    target.activation = activation_of(*target.clip);
    target.clip.reset();
  }
}

Step Writer::step_of(NodeId id) {
  Step step;
  step.node = graph_.node(id);
  const WriteEntry* entry = find_writer(step.node.kind);
  for (const ValueId output : step.node.outputs) {
    if (output == ValueId::None) continue;
    Target target;
    target.raw = output;
    if (step.node.kind == OpKind::MatMul && step.node.outputs.size() == 1 && uses_.single(output)) {
      const NodeId next = uses_.of(output)[0];
      const Node& sum = graph_.node(next);
      const Tensor* weights = stored_constant(step.node.input(1));
      const ValueId other = sum.kind == OpKind::Add ? sum.input(sum.input(0) == output ? 1 : 0) : ValueId::None;
      const Tensor* row = other == ValueId::None ? nullptr : stored_constant(other);
      if (row != nullptr && weights != nullptr && weights->rank() == 2 && row->size() == weights->dim(1) &&
          row->rank() <= 1) {
        step.bias = other;
        target.raw = sum.output();
        done_.insert(next);
      }
    }
    absorb(target, entry->fuses);
    step.targets.push_back(target);
  }
  return step;
}

bool Writer::can_be_quantized(const Step& step, Integers integers) const {
  if (integers == Integers::None) return false;
  for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
    const ValueId value = step.node.inputs[i];
    if (value == ValueId::None) continue;
    const Tensor* content = graph_.constant(value);
    const DType dtype = content != nullptr ? content->dtype() : graph_.value(value).type.dtype;
    if (dtype != DType::F32) continue;  // shapes, axes, indices
    const bool is_bias = i == 2 && (step.node.kind == OpKind::Conv || step.node.kind == OpKind::Gemm ||
                                    step.node.kind == OpKind::ConvTranspose);
    if (is_bias && is_constant(value)) continue;
    const bool is_parameter = content != nullptr && (step.node.kind == OpKind::Clip || step.node.kind == OpKind::Pad ||
                                                     step.node.kind == OpKind::Resize);
    if (is_parameter) continue;
    const Quantization* scales = quantization(value);
    if (stored(value) == value || scales == nullptr) return false;
    if (!is_constant(value) && scales->scales.size() != 1) return false;
  }
  return std::ranges::all_of(step.targets, [&](const Target& target) {
    const Node* producer = graph_.producer_of(target.result);
    return producer != nullptr && producer->kind == OpKind::QuantizeLinear;
  });
}

}  // namespace adze::tflite
