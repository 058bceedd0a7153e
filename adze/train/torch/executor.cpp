#include "adze/train/torch/executor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/train/parameters.h"
#include "adze/train/torch/learned_quantize.h"
#include "adze/train/torch/round_gradient.h"
#include "adze/train/torch/tensors.h"

namespace adze::train {

namespace {

std::size_t at_value(ValueId id) {
  return static_cast<std::size_t>(id);
}

/// The first line of what libtorch says; the rest is a stack trace.
std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

/// Pictures lie in memory with their channels last: libtorch's convolutions and our batch norms are faster so.
at::Tensor placed(const at::Tensor& tensor) {
  const bool is_picture = tensor.dim() == 4 && at::isFloatingType(tensor.scalar_type());
  return is_picture ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor;
}

/// The bounds of a Relu, or of a Clip between constants.
std::optional<Bounds> bounds_of(const Graph& graph, const Node& node) {
  Bounds bounds = unbounded;
  if (node.kind == OpKind::Relu) bounds.low = 0;
  if (node.kind == OpKind::Relu) return bounds;
  if (node.kind != OpKind::Clip || node.metadata.contains("adze.code_low")) return std::nullopt;
  for (const std::size_t i : {1, 2}) {
    if (i >= node.inputs.size() || node.inputs[i] == ValueId::None) continue;
    const Tensor* constant = graph.constant(node.inputs[i]);
    if (constant == nullptr || constant->dtype() != DType::F32) return std::nullopt;
    (i == 1 ? bounds.low : bounds.high) = constant->data<float>()[0];
  }
  return bounds;
}

/// The layers whose arithmetic is products: those that reduced precision is for.
bool is_product(OpKind kind) {
  return kind == OpKind::Conv || kind == OpKind::ConvTranspose || kind == OpKind::Gemm || kind == OpKind::MatMul;
}

}  // namespace

Executor::Executor(const Graph& graph, const ExecutorOptions& options)
    : graph_(graph),
      precision_(options.precision),
      gradient_bits_(options.gradient_bits),
      log_scales_(options.log_scales),
      device_(options.device) {
  persistent_.resize(static_cast<std::size_t>(graph_.num_values()));
  add_variables(options);
  compile();
  join_bounds();
  find_lifetimes();
}

void Executor::add_variables(const ExecutorOptions& options) {
  if (!options.train) return;
  const Trainable trainable = trainable_of(graph_, options.freeze);
  const auto add = [&](ValueId id, std::vector<Variable>& list, bool gradient) {
    at::Tensor tensor = placed(to_torch(*graph_.constant(id)).to(device_)).set_requires_grad(gradient);
    persistent_[at_value(id)] = tensor;
    list.push_back({id, graph_.value(id).name, std::move(tensor)});
  };
  for (const ValueId id : trainable.parameters) add(id, parameters_, true);
  for (const ValueId id : trainable.statistics) add(id, statistics_, false);
}

void Executor::compile() {
  for (const NodeId id : topological_order(graph_)) {
    const Node& node = graph_.node(id);
    try {
      if (fold(node)) continue;
      steps_.push_back(step_of(id));
    } catch (const Error& error) {
      rethrow_with_place(error, place_of(graph_, node));
    }
  }
}

/// Computes the node now when it reads nothing but constants.
bool Executor::fold(const Node& node) {
  if (op_info(node.kind).op_class == OpClass::Random || op_info(node.kind).op_class == OpClass::Control) return false;
  if (node.metadata.contains("adze.code_low")) return false;  // the reference knows of no windows
  std::vector<reference::Datum> inputs;
  for (const ValueId id : node.inputs) {
    if (id == ValueId::None) {
      inputs.emplace_back();
      continue;
    }
    if (persistent_[at_value(id)].defined()) return false;  // a variable
    if (const auto found = folded_.find(id); found != folded_.end()) {
      inputs.emplace_back(found->second);
    } else if (const Tensor* constant = graph_.constant(id)) {
      inputs.emplace_back(*constant);
    } else {
      return false;
    }
  }
  const std::vector<reference::Datum> outputs = reference::run_node(graph_, node, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == ValueId::None) continue;
    if (!outputs[i].is_tensor()) return false;
    folded_.insert_or_assign(node.outputs[i], outputs[i].tensor());
  }
  return true;
}

Executor::Step Executor::step_of(NodeId id) {
  const Node& node = graph_.node(id);
  if (node.kind == OpKind::QuantizeLinear) {
    FakeQuantizer quantizer(graph_, node);
    quantizer.scale = quantizer.scale.to(device_);
    quantizer.zero_point = quantizer.zero_point.to(device_);
    const auto same = std::find_if(quantizers_.begin(), quantizers_.end(), [&](const FakeQuantizer& one) {
      return one.scale_value() == quantizer.scale_value();
    });
    if (same != quantizers_.end()) {
      quantizer.share(*same);
    } else if (quantizer.rule() == ScaleRule::Learned) {
      if (log_scales_) quantizer.learn_logarithm();
      quantizer.scale.set_requires_grad(true);
      scales_.push_back({quantizer.scale_value(), graph_.value(quantizer.scale_value()).name, quantizer.scale});
    }
    quantizers_.push_back(std::move(quantizer));
    quantizer_of_[id] = quantizers_.size() - 1;
    return {id, Way::Quantizer, nullptr, quantizers_.size() - 1};
  }
  if (node.kind == OpKind::DequantizeLinear) {
    const NodeId producer = graph_.value(node.input(0)).producer;
    const auto found = quantizer_of_.find(producer);
    if (found == quantizer_of_.end() || quantizers_[found->second].scale_value() != node.input(1) ||
        quantizers_[found->second].zero_point_value() != node.input(2)) {
      throw UnsupportedError("a DequantizeLinear without the QuantizeLinear of its scale has no gradient here");
    }
    return {id, Way::Alias};
  }
  if (const OpFunction function = op_function(node.kind)) {
    Step step{id, Way::Torch, function};
    const bool has_bias = node.kind == OpKind::Conv || node.kind == OpKind::ConvTranspose || node.kind == OpKind::Gemm;
    if (has_bias && node.input(2) != ValueId::None) {
      const auto x = quantizer_behind(node.input(0)), w = quantizer_behind(node.input(1));
      if (x && w && !quantizers_[*x].per_channel()) step.bias_scales = std::pair{*x, *w};
    }
    return step;
  }
  if (reference::kernel_function(node.kind) == nullptr || op_info(node.kind).op_class == OpClass::Control) {
    throw UnsupportedError(cat(op_name(node.kind), " cannot be trained through"));
  }
  return {id, Way::Reference};
}

/// Finds the batch norms that a Relu or Clip alone reads, and those that a quantizer alone reads.
void Executor::join_bounds() {
  const Uses uses(graph_);
  std::map<ValueId, Step*> makers;
  for (Step& step : steps_) {
    const Node& node = graph_.node(step.node);
    const auto before = node.inputs.empty() ? makers.end() : makers.find(node.input(0));
    if (before != makers.end() && uses.of(before->first).size() == 1) join(*before->second, step);
    if (!node.outputs.empty()) makers[node.output()] = &step;
  }
}

void Executor::join(Step& first, Step& second) {
  const Node &maker = graph_.node(first.node), &reader = graph_.node(second.node);
  const bool norm = maker.kind == OpKind::BatchNormalization && second.way == Way::Torch;
  const bool quantizer = second.way == Way::Quantizer && first.way == Way::Torch && !first.bounds &&
                         quantizers_[second.quantizer].takes_bounds();
  if (!norm && !quantizer) return;
  const std::optional<Bounds> bounds = bounds_of(graph_, norm ? reader : maker);
  if (!bounds) return;
  for (Step* step : {&first, &second}) {
    step->bounds = bounds;
    step->between = maker.output();
    step->only_in_training = norm;
  }
}

bool Executor::applies_bounds(const Step& step, const RunMode& mode) const {
  return step.bounds && (mode.training || !step.only_in_training) && !seen_[at_value(step.between)];
}

/// The fake quantizer whose DequantizeLinear makes this value.
std::optional<std::size_t> Executor::quantizer_behind(ValueId id) const {
  const Node* dequantize = graph_.producer_of(id);
  if (dequantize == nullptr || dequantize->kind != OpKind::DequantizeLinear) return std::nullopt;
  const auto found = quantizer_of_.find(graph_.value(dequantize->input(0)).producer);
  return found == quantizer_of_.end() ? std::nullopt : std::optional(found->second);
}

void Executor::find_lifetimes() {
  std::vector<std::size_t> last(persistent_.size(), 0);
  kept_.assign(persistent_.size(), false);
  for (const ValueId id : graph_.outputs()) kept_[at_value(id)] = true;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Node& node = graph_.node(steps_[i].node);
    for (const ValueId id : node.inputs) {
      if (id == ValueId::None) continue;
      last[at_value(id)] = i + 1;
      if (!persistent_[at_value(id)].defined()) persistent_[at_value(id)] = persistent(id);
    }
  }
  for (const ValueId id : graph_.outputs()) {
    if (!persistent_[at_value(id)].defined()) persistent_[at_value(id)] = persistent(id);
  }
  for (std::size_t id = 0; id < last.size(); ++id) {
    if (last[id] == 0 || kept_[id] || persistent_[id].defined()) continue;
    steps_[last[id] - 1].finished.push_back(static_cast<ValueId>(id));
  }
}

/// The constant as a tensor, when the value is one.
at::Tensor Executor::persistent(ValueId id) {
  const auto found = folded_.find(id);
  const Tensor* constant = found != folded_.end() ? &found->second : graph_.constant(id);
  if (constant == nullptr || !scalar_type(constant->dtype())) return {};
  const at::Tensor tensor = to_torch(*constant);
  // Small integer tensors are axes, shapes and pads: they are read on this processor.
  return is_integer(constant->dtype()) ? tensor : tensor.to(device_);
}

std::vector<at::Tensor> Executor::run(std::span<const at::Tensor> inputs, const RunMode& mode,
                                      std::span<const ValueId> taps, const std::map<ValueId, at::Tensor>& instead) {
  values_ = persistent_;
  if (inputs.size() != graph_.inputs().size()) {
    throw ModelError(cat("the network has ", graph_.inputs().size(), " inputs, got ", inputs.size()),
                     {graph_.source_file, "", ""});
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) values_[at_value(graph_.inputs()[i])] = placed(inputs[i]);
  std::vector<bool> kept = kept_;
  for (const ValueId id : taps) kept[at_value(id)] = true;
  seen_ = kept;
  for (const auto& [id, value] : instead) seen_[at_value(id)] = true;
  std::map<ValueId, at::Tensor> computed;  // of those that are replaced
  for (const Step& step : steps_) {
    run_step(step, mode);
    for (const ValueId id : instead.empty() ? std::vector<ValueId>() : graph_.node(step.node).outputs) {
      const auto found = instead.find(id);
      if (found == instead.end()) continue;
      computed[id] = std::exchange(values_[at_value(id)], found->second);
    }
    for (const ValueId id : step.finished) {
      if (!kept[at_value(id)]) values_[at_value(id)] = at::Tensor();
    }
  }
  std::vector<at::Tensor> results;
  const auto result_of = [&](ValueId id) {
    const auto found = computed.find(id);
    return found != computed.end() ? found->second : values_[at_value(id)];
  };
  for (const ValueId id : graph_.outputs()) results.push_back(result_of(id));
  for (const ValueId id : taps) results.push_back(result_of(id));
  values_.clear();
  return results;
}

const Node* Executor::first_non_finite(std::span<const at::Tensor> inputs, const RunMode& mode) {
  const at::NoGradGuard no_grad;
  values_ = persistent_;
  for (std::size_t i = 0; i < inputs.size(); ++i) values_[at_value(graph_.inputs()[i])] = placed(inputs[i]);
  seen_.assign(values_.size(), true);
  for (const Step& step : steps_) {
    run_step(step, mode);
    const Node& node = graph_.node(step.node);
    for (const ValueId id : node.outputs) {
      if (id == ValueId::None) continue;
      const at::Tensor& value = values_[at_value(id)];
      if (value.defined() && at::isFloatingType(value.scalar_type()) && !at::isfinite(value).all().item<bool>()) {
        return &node;
      }
    }
  }
  return nullptr;
}

void Executor::run_step(const Step& step, const RunMode& mode) {
  const Node& node = graph_.node(step.node);
  try {
    switch (step.way) {
      case Way::Torch:
        return run_torch(step, node, mode);
      case Way::Quantizer:
        values_[at_value(node.output())] = quantizers_[step.quantizer](
            values_[at_value(node.input(0))], mode, applies_bounds(step, mode) ? *step.bounds : unbounded);
        return;
      case Way::Alias:
        values_[at_value(node.output())] = values_[at_value(node.input(0))];
        return;
      case Way::Reference:
        return run_reference(node);
    }
  } catch (const Error& error) {
    rethrow_with_place(error, place_of(graph_, node));
  } catch (const c10::Error& error) {
    throw ModelError(cat("libtorch refuses this operator's inputs: ", first_line(error)), place_of(graph_, node));
  }
}

void Executor::run_torch(const Step& step, const Node& node, const RunMode& mode) {
  std::vector<at::Tensor> inputs;
  inputs.reserve(node.inputs.size());
  const bool half = precision_ == Precision::F16 && is_product(node.kind);
  for (const ValueId id : node.inputs) {
    if (id == ValueId::None) {
      inputs.emplace_back();
      continue;
    }
    const at::Tensor& value = values_[at_value(id)];
    const bool rounded = half && value.defined() && value.scalar_type() == at::kFloat;
    inputs.push_back(rounded ? value.to(at::kHalf).to(at::kFloat) : value);
  }
  if (step.bias_scales) {
    constexpr std::int64_t widest = 1 << 30;
    const at::Tensor product =
        quantizers_[step.bias_scales->first].step() * quantizers_[step.bias_scales->second].step();
    inputs[2] = learned_quantize(
        inputs[2], product, product.numel() > 1 ? std::optional<std::int64_t>(0) : std::nullopt, -widest, widest, 0);
  }
  const bool bounded = applies_bounds(step, mode);
  if (bounded && node.kind != OpKind::BatchNormalization) {
    values_[at_value(node.output())] = inputs[0];
    return;
  }
  OpCall call(node, inputs, mode, bounded ? *step.bounds : unbounded);
  step.function(call);
  if (gradient_bits_ > 0 && mode.training && is_product(node.kind)) {
    const std::uint64_t seed = Random(mode.seed).split(static_cast<std::uint64_t>(step.node)).next();
    call.set(round_gradient(call.outputs()[0], gradient_bits_, seed));
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != ValueId::None) values_[at_value(node.outputs[i])] = std::move(call.outputs()[i]);
  }
}

/// Without gradient: shapes, indices, masks.
void Executor::run_reference(const Node& node) {
  std::vector<reference::Datum> inputs;
  for (const ValueId id : node.inputs) {
    if (id == ValueId::None) {
      inputs.emplace_back();
      continue;
    }
    const at::Tensor& value = values_[at_value(id)];
    if (!value.defined()) {
      const auto found = folded_.find(id);
      const Tensor* constant = found != folded_.end() ? &found->second : graph_.constant(id);
      if (constant == nullptr) throw UnsupportedError(cat(op_name(node.kind), " cannot be computed while training"));
      inputs.emplace_back(*constant);
      continue;
    }
    if (value.requires_grad()) throw UnsupportedError(cat(op_name(node.kind), " has no gradient here"));
    inputs.emplace_back(from_torch(value));
  }
  const std::vector<reference::Datum> outputs = reference::run_node(graph_, node, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == ValueId::None) continue;
    if (!outputs[i].is_tensor()) throw UnsupportedError(cat(op_name(node.kind), " makes no tensor"));
    values_[at_value(node.outputs[i])] = to_torch(outputs[i].tensor()).to(device_);
  }
}

Graph Executor::stored() const {
  Graph graph = graph_;
  const auto put = [&](const Variable& variable) {
    const Shape shape = graph.constant(variable.value)->shape();
    graph.value(variable.value).constant = from_torch(variable.tensor).reshaped(shape);
  };
  for (const auto* list : {&parameters_, &statistics_}) {
    for (const Variable& variable : *list) put(variable);
  }
  for (const FakeQuantizer& quantizer : quantizers_) {
    if (quantizer.rule() == ScaleRule::Fixed) continue;
    put({quantizer.scale_value(), "", quantizer.step()});
    if (quantizer.rule() != ScaleRule::MovingAverage) continue;
    if (quantizer.zero_point_value() == ValueId::None) continue;
    const Tensor& old = *graph.constant(quantizer.zero_point_value());
    const Tensor now = from_torch(quantizer.zero_point);
    graph.value(quantizer.zero_point_value()).constant = converted(now.reshaped(old.shape()), old.dtype());
  }
  return graph;
}

}  // namespace adze::train
