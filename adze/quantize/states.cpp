#include "adze/quantize/states.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "adze/base/text.h"
#include "adze/graph/edit.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "adze/quantize/insert.h"

namespace adze::quantize {

namespace {

constexpr float least_scale = 6.2e-5f;  // above the smallest normal f16

/// The node that appends to the state and gives its output, or None.
NodeId appending_node(const Graph& graph, const StatePlan& plan) {
  const ValueId input = graph.inputs()[plan.pair.input], output = graph.outputs()[plan.pair.output];
  const NodeId id = graph.value(output).producer;
  if (id == NodeId::None) return NodeId::None;
  const Node& node = graph.node(id);
  const bool appends = node.kind == OpKind::Concat && node.inputs.size() == 2 && node.input(0) == input;
  return appends ? id : NodeId::None;
}

class StateQuantizer {
 public:
  StateQuantizer(Graph& graph, const StateOptions& options)
      : graph_(graph), options_(options), inserter_(graph), pairs_(find_states(graph)) {
    is_half_ = options.dtype == DType::F16;
    const bool is_float8 = options.dtype == DType::F8E4M3;
    low_ = is_half_ ? 0 : is_float8 ? -448 : static_cast<double>(integer_min(options.dtype));
    high_ = is_half_ ? 0 : is_float8 ? 448 : static_cast<double>(integer_max(options.dtype));
  }

  void quantize(const StatePlan& plan) {
    plan_ = &plan;
    factors_ = {};
    const ValueId input = graph_.inputs()[plan.pair.input], output = graph_.outputs()[plan.pair.output];
    name_ = graph_.value(output).name;
    const NodeId append = appending_node(graph_, plan);
    // Concat takes no 4-bit and no 8-bit float type.
    const bool appends_codes = append != NodeId::None && (is_half_ || options_.dtype == DType::S8);
    std::vector<NodeId> input_readers, output_readers;
    {
      const Uses uses(graph_);
      input_readers.assign(uses.of(input).begin(), uses.of(input).end());
      output_readers.assign(uses.of(output).begin(), uses.of(output).end());
    }
    const Coded past{input, scale_input(input)};
    const ValueType type = graph_.value(input).type;
    graph_.value(input).type.dtype = options_.dtype;
    Coded present;
    if (appends_codes) {
      const Node concat = std::as_const(graph_).node(append);
      const Coded added = encode(concat.input(1));
      present.codes = appended(past.codes, added.codes, concat);
      if (has_scales()) present.scale = appended(past.scale, added.scale, concat);
      graph_.remove_node(append);
      std::erase(input_readers, append);
    } else {
      present = encode(output);
    }
    if (appends_codes) {  // the shape of codes is as good
      std::erase_if(input_readers, [&](NodeId id) { return std::as_const(graph_).node(id).kind == OpKind::Shape; });
    }
    if (!input_readers.empty()) redirect(input_readers, input, decode(past));
    if (plan.growing_axis && !output_readers.empty()) redirect(output_readers, output, decode(present));
    replace_output(output, present);
  }

  void finish() {
    set_states(graph_, pairs_);
    remove_dead_nodes(graph_);
    graph_.compact();
    infer_types(graph_);
    verify(graph_);
  }

 private:
  struct Coded {
    ValueId codes = ValueId::None;
    ValueId scale = ValueId::None;  ///< of each token, f16
  };

  bool has_scales() const { return plan_->scales == StateScales::Token && !is_half_; }

  ValueId node(OpKind kind, std::vector<ValueId> inputs, std::string_view what,
               std::vector<std::pair<std::string, Attribute>> attributes = {}) {
    return inserter_.node(kind, std::move(inputs), cat(name_, "_", what), std::move(attributes));
  }
  ValueId scalar(std::string_view what, double value) {
    return inserter_.constant(cat(name_, "_", what), Tensor::scalar(static_cast<float>(value)));
  }
  ValueId cast(ValueId value, DType dtype) {
    return node(OpKind::Cast, {value}, "cast", {{"to", static_cast<std::int64_t>(dtype)}});
  }

  /// The second state of tokens' scales, as an input beside the first.
  ValueId scale_input(ValueId input) {
    if (!has_scales()) return ValueId::None;
    SymbolicShape shape = *graph_.value(input).type.shape;
    shape.back() = 1;
    const std::string name = inserter_.unique_name(cat(std::as_const(graph_).value(input).name, "_scale"));
    return graph_.add_input(name, ValueType::tensor(DType::F16, shape));
  }

  ValueId appended(ValueId past, ValueId added, const Node& concat) {
    return node(OpKind::Concat, {past, added}, "append", {{"axis", concat.get_int("axis")}});
  }

  Coded encode(ValueId x) {
    if (is_half_) return {cast(x, options_.dtype), ValueId::None};
    const Factors& by = factors();
    Coded coded;
    if (has_scales()) {
      coded.scale = cast(inserter_.row_scale(x, cat(name_, "_rows"), high_, least_scale), DType::F16);
      x = node(OpKind::Div, {x, cast(coded.scale, DType::F32)}, "scaled");
    } else if (by.scale != ValueId::None) {
      if (by.offset != ValueId::None) x = node(OpKind::Sub, {x, by.offset}, "centred");
      x = node(OpKind::Div, {x, by.scale}, "scaled");
    }
    coded.codes = node(OpKind::QuantizeLinear, {x, by.step, by.zero_point}, "quantize");
    return coded;
  }

  ValueId decode(const Coded& coded) {
    if (is_half_) return cast(coded.codes, DType::F32);
    const Factors& by = factors();
    ValueId x = node(OpKind::DequantizeLinear, {coded.codes, by.step, by.zero_point}, "dequantize");
    if (has_scales()) return node(OpKind::Mul, {x, cast(coded.scale, DType::F32)}, "restored");
    if (by.scale != ValueId::None) x = node(OpKind::Mul, {x, by.scale}, "restored");
    return by.offset == ValueId::None ? x : node(OpKind::Add, {x, by.offset}, "moved");
  }

  ValueId zero(std::int32_t code) {
    Tensor tensor(options_.dtype, {});
    if (is_integer(options_.dtype)) tensor.set_int(0, code);
    return inserter_.constant(cat(name_, "_zero_point"), std::move(tensor));
  }

  /// Of a state that is replaced: it begins with zeros, so zero is code 0.
  AffineScale tensor_affine() const {
    const Range& range = plan_->ranges.at(0);
    const double most = std::max({-range.low, range.high, 1e-30});
    return {static_cast<float>(most / high_), 0};
  }

  /// What QuantizeLinear and DequantizeLinear of a state share; then value = code · scale + offset by head or channel.
  struct Factors {
    ValueId step = ValueId::None, zero_point = ValueId::None;
    ValueId scale = ValueId::None, offset = ValueId::None;
  };

  const Factors& factors() {
    if (factors_.step != ValueId::None) return factors_;
    // ONNX Runtime 1.30 puts quantizers of the wrong type behind a DequantizeLinear that a Transpose or Reshape
    // follows; a factor between them keeps it from that.
    const bool by_tensor = plan_->scales == StateScales::Tensor && !plan_->growing_axis;
    const AffineScale affine = by_tensor ? tensor_affine() : AffineScale{};
    factors_.step = scalar("step", affine.scale);
    factors_.zero_point = zero(affine.zero_point);
    if (by_tensor || has_scales()) return factors_;
    const Shape& shape = plan_->scale_shape;
    Tensor scale(DType::F32, shape), offset(DType::F32, shape);
    const bool has_offset = plan_->growing_axis.has_value() && is_integer(options_.dtype);
    for (std::size_t i = 0; i < plan_->ranges.size(); ++i) {
      const Range& range = plan_->ranges[i];
      const double most = std::max({-range.low, range.high, 1e-30});
      const double step = has_offset ? (range.high - range.low) / (high_ - low_) : most / high_;
      const double usable = std::max(step, 1e-30);
      scale.mutable_data<float>()[i] = static_cast<float>(usable);
      if (has_offset) offset.mutable_data<float>()[i] = static_cast<float>(range.low - low_ * usable);
    }
    factors_.scale = inserter_.constant(cat(name_, "_scale"), std::move(scale));
    if (has_offset) factors_.offset = inserter_.constant(cat(name_, "_offset"), std::move(offset));
    return factors_;
  }

  void redirect(const std::vector<NodeId>& readers, ValueId value, ValueId instead) {
    for (const NodeId id : readers) {
      Node& reader = graph_.node(id);
      std::replace(reader.inputs.begin(), reader.inputs.end(), value, instead);
      for (auto& [key, attribute] : reader.attributes) {
        if (auto* inner = std::get_if<Subgraph>(&attribute)) {
          std::replace(inner->captured.begin(), inner->captured.end(), value, instead);
        }
      }
    }
  }

  void replace_output(ValueId output, const Coded& present) {
    std::vector<ValueId> outputs = graph_.outputs();
    outputs[plan_->pair.output] = present.codes;
    inserter_.rename(output, inserter_.unique_name(cat(name_, "_float")));
    inserter_.rename(present.codes, name_);
    if (present.scale != ValueId::None) {
      inserter_.rename(present.scale, inserter_.unique_name(cat(name_, "_scale")));
      pairs_.push_back({graph_.inputs().size() - 1, outputs.size()});
      outputs.push_back(present.scale);
    }
    graph_.set_outputs(std::move(outputs));
  }

  Graph& graph_;
  const StateOptions& options_;
  Inserter inserter_;
  std::vector<StatePair> pairs_;
  const StatePlan* plan_ = nullptr;
  std::string name_;
  Factors factors_;  ///< of this plan
  bool is_half_ = false;
  double low_ = 0, high_ = 0;  ///< codes used
};

}  // namespace

std::vector<std::string> appending_nodes(const Graph& graph, const std::vector<StatePlan>& plans) {
  std::vector<std::string> names;
  for (const StatePlan& plan : plans) {
    if (const NodeId id = appending_node(graph, plan); id != NodeId::None) names.push_back(graph.node(id).name);
  }
  return names;
}

std::vector<std::string> quantize_states(Graph& graph, const std::vector<StatePlan>& plans, const PtqOptions& options) {
  const StateBytes before = state_bytes(graph, find_states(graph));
  std::map<StateScales, int> counts;
  StateQuantizer quantizer(graph, options.state);
  for (const StatePlan& plan : plans) {
    quantizer.quantize(plan);
    ++counts[plan.scales];
  }
  quantizer.finish();
  const StateBytes after = state_bytes(graph, find_states(graph));
  std::vector<std::string> parts;
  for (const auto& [scales, count] : counts) {
    parts.push_back(cat(count, " with a scale for each ", state_scales_name(scales)));
  }
  const std::string_view type = state_dtype_name(options.state.dtype);
  std::vector<std::string> lines{options.state.dtype == DType::F16
                                     ? cat(plans.size(), " states kept as f16")
                                     : cat(plans.size(), " states kept as ", type, ": ", join(parts, ", "))};
  if (before.whole > 0) lines.push_back(cat("states: ", before.whole, " bytes before, ", after.whole, " after"));
  if (before.per_place > 0) {
    lines.push_back(cat("states that grow: ", before.per_place, " bytes a token before, ", after.per_place, " after"));
  }
  return lines;
}

}  // namespace adze::quantize
