#include "adze/plan/lower_integers.h"

#include <algorithm>
#include <cmath>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/graph/edit.h"
#include "adze/graph/infer.h"
#include "adze/numerics/quantized_s16.h"
#include "adze/plan/lowering.h"

namespace adze {

namespace lowering {

namespace {

/// All integers of a constant, when they are equal.
std::optional<std::int32_t> common_integer(const Tensor& tensor) {
  if (tensor.empty()) return std::nullopt;
  const std::int64_t first = tensor.get_int(0);
  for (std::int64_t i = 1; i < tensor.size(); ++i) {
    if (tensor.get_int(i) != first) return std::nullopt;
  }
  return static_cast<std::int32_t>(first);
}

}  // namespace

std::optional<Quantized> Lowering::quantized(ValueId value) const {
  const Node* node = graph_.producer_of(value);
  if (node == nullptr || node->kind != OpKind::DequantizeLinear || node->get_int("block_size") != 0)
    return std::nullopt;
  const Tensor* scales = graph_.constant(node->input(1));
  const Tensor* zero_points = graph_.constant(node->input(2));
  if (scales == nullptr || scales->dtype() != DType::F32 || scales->rank() > 1 || scales->empty()) return std::nullopt;
  if (node->input(2) != ValueId::None && zero_points == nullptr) return std::nullopt;
  Quantized result;
  result.stored = node->input(0);
  const Tensor* content = graph_.constant(result.stored);
  result.dtype = content != nullptr ? content->dtype() : graph_.value(result.stored).type.dtype;
  if (!is_integer(result.dtype)) return std::nullopt;
  result.scales = to_floats(*scales);
  result.axis = node->get_int("axis");
  if (!std::ranges::all_of(result.scales, [](float scale) { return scale > 0.0f && std::isfinite(scale); }))
    return std::nullopt;
  if (zero_points != nullptr) {
    const auto zero_point = common_integer(*zero_points);
    if (!zero_point) return std::nullopt;
    result.zero_point = *zero_point;
  }
  return result;
}

std::optional<Quantized> Lowering::activation(ValueId value) const {
  auto found = quantized(value);
  if (!found || !found->per_tensor() || !(found->eight_bits() || found->sixteen_bits())) return std::nullopt;
  return found;
}

std::optional<Quantized> Lowering::weights(ValueId value, std::int64_t channel_axis) {
  auto found = quantized(value);
  if (!found) return std::nullopt;
  const Tensor* content = graph_.constant(found->stored);
  if (content == nullptr || dtype_bits(found->dtype) > 8 || content->rank() < 1) return std::nullopt;
  const std::int64_t axis = found->axis < 0 ? found->axis + content->rank() : found->axis;
  if (!found->per_tensor() && (axis != channel_axis || std::ssize(found->scales) != content->dim(channel_axis)))
    return std::nullopt;
  if (dtype_bits(found->dtype) < 8) {
    found->dtype = is_signed_integer(found->dtype) ? DType::S8 : DType::U8;
    Tensor unpacked(found->dtype, content->shape());
    for (std::int64_t i = 0; i < content->size(); ++i) unpacked.set_int(i, content->get_int(i));
    found->stored =
        graph_.add_constant(graph_.unique_name(graph_.value(found->stored).name + "/unpacked"), std::move(unpacked));
  }
  centre(*found);
  return found;
}

void Lowering::centre(Quantized& weights) {
  const Tensor& content = *graph_.constant(weights.stored);
  if (weights.dtype == DType::S8 && weights.zero_point == 0) return;
  Tensor centred(DType::S8, content.shape());
  for (std::int64_t i = 0; i < content.size(); ++i) {
    const std::int64_t value = content.get_int(i) - weights.zero_point;
    if (value < -128 || value > 127) return;
    centred.set_int(i, value);
  }
  weights.stored =
      graph_.add_constant(graph_.unique_name(graph_.value(weights.stored).name + "/centred"), std::move(centred));
  weights.dtype = DType::S8;
  weights.zero_point = 0;
}

std::optional<ValueId> Lowering::bias(ValueId value, const Quantized& x, const std::vector<float>& w_scales,
                                      std::int64_t channels) {
  const auto sums = graph_.metadata.find("adze.int16_sums");
  const bool short_sums = sums != graph_.metadata.end() && sums->second == "s32";
  const DType dtype = x.sixteen_bits() && !short_sums ? DType::S64 : DType::S32;
  if (value == ValueId::None) {
    if (!x.sixteen_bits() || dtype == DType::S64) return value;
    return graph_.add_constant(graph_.unique_name("bias/zero"), Tensor(DType::S32, {channels}));
  }
  const float x_scale = x.scales[0];
  const auto stored = quantized(value);
  const Tensor* content = graph_.constant(stored ? stored->stored : value);
  if (content == nullptr || content->size() != channels) return std::nullopt;
  if (!stored && content->dtype() != DType::F32) return std::nullopt;
  if (stored && stored->scales.size() != 1 && std::ssize(stored->scales) != channels) return std::nullopt;
  const auto unit = [&](std::int64_t i) {
    return x_scale * w_scales[w_scales.size() == 1 ? 0 : static_cast<std::size_t>(i)];
  };
  const auto own = [&](std::int64_t i) {
    return stored->scales[stored->scales.size() == 1 ? 0 : static_cast<std::size_t>(i)];
  };
  // TFLite and QDQ exporters compute the bias scale in float32 or float64: a last-bit difference is the same scale.
  bool same_unit = stored && stored->dtype == DType::S32 && stored->zero_point == 0;
  for (std::int64_t i = 0; same_unit && i < channels; ++i) same_unit = std::abs(own(i) - unit(i)) <= 1e-5f * unit(i);
  if (same_unit && content->rank() == 1 && dtype == DType::S32) return stored->stored;
  const double bound = dtype == DType::S32 ? 2147483647.0 : static_cast<double>(largest_wide_sum / 2);
  Tensor result(dtype, {channels});
  for (std::int64_t i = 0; i < channels; ++i) {
    if (same_unit) {
      result.set_int(i, content->get_int(i));
      continue;
    }
    const double real =
        stored ? (static_cast<double>(content->get_int(i)) - stored->zero_point) * static_cast<double>(own(i))
               : content->get_double(i);
    const double q = std::nearbyint(real / static_cast<double>(unit(i)));
    if (!(std::abs(q) < bound)) return std::nullopt;
    result.set_int(i, static_cast<std::int64_t>(q));
  }
  const char* suffix = dtype == DType::S32 ? "/s32" : "/s64";
  return graph_.add_constant(graph_.unique_name(graph_.value(value).name + suffix), std::move(result));
}

void Lowering::replace(const Group& group, OpKind kind, std::vector<ValueId> inputs, Attributes attributes) {
  Node node;
  node.kind = kind;
  node.name = group.op != NodeId::None ? graph_.node(group.op).name : graph_.node(group.quantize).name;
  node.inputs = std::move(inputs);
  node.outputs = {group.result};
  for (auto& [name, value] : attributes) node.set(std::move(name), std::move(value));
  graph_.remove_node(group.quantize);
  graph_.add_node(std::move(node));
}

ValueId Lowering::add(const Group& group, OpKind kind, std::vector<ValueId> inputs, Attributes attributes) {
  const std::string name = cat(graph_.value(group.result).name, "/", op_name(kind));
  return graph_.add(kind, std::move(inputs), std::move(attributes), name);
}

Attributes Lowering::output_attributes(const Group& group) const {
  return {{"rounding", std::string(rounding_name(group.profile))},
          {"y_scale", group.y.scale},
          {"y_zero_point", std::int64_t{group.y.zero_point}},
          {"y_min", std::int64_t{group.y.min}},
          {"y_max", std::int64_t{group.y.max}},
          {"y_dtype", static_cast<std::int64_t>(group.y_dtype)}};
}

void append_affine(Attributes& attributes, const std::string& prefix, const Quantized& tensor) {
  attributes.emplace_back(prefix + "_scale", tensor.scales[0]);
  attributes.emplace_back(prefix + "_zero_point", std::int64_t{tensor.zero_point});
}

void append_copies(Attributes& attributes, const Node& node, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const Attribute* found = node.find(name)) attributes.emplace_back(name, *found);
  }
}

bool clamps_nothing(const Group& group) {
  return group.y.min == integer_min(group.y_dtype) && group.y.max == integer_max(group.y_dtype);
}

std::int32_t quantized_bound(float value, const Affine& y, RoundingProfile profile) {
  const float scaled = value / y.scale;
  const float rounded = profile == RoundingProfile::Onnx ? std::nearbyintf(scaled) : std::roundf(scaled);
  const double shifted = static_cast<double>(rounded) + y.zero_point;
  if (!(shifted > y.min)) return y.min;
  return static_cast<std::int32_t>(std::min<double>(shifted, y.max));
}

namespace {

/// Takes the clamp of a Relu or Clip with constant bounds into the group. False: another operator.
bool absorb_activation(const Graph& graph, const Node& node, Group& group, const Affine& whole) {
  if (node.kind == OpKind::Relu) {
    group.y.min = std::max(group.y.min, quantized_bound(0.0f, whole, group.profile));
  } else if (node.kind == OpKind::Clip) {
    const Tensor* bounds[2] = {graph.constant(node.input(1)), graph.constant(node.input(2))};
    for (std::size_t i = 0; i < 2; ++i) {
      if (node.input(i + 1) == ValueId::None) continue;
      if (bounds[i] == nullptr || bounds[i]->dtype() != DType::F32 || bounds[i]->size() != 1) return false;
    }
    std::int32_t low = whole.min, high = whole.max;
    if (bounds[0] != nullptr) low = quantized_bound(bounds[0]->data<float>()[0], whole, group.profile);
    if (bounds[1] != nullptr) high = quantized_bound(bounds[1]->data<float>()[0], whole, group.profile);
    if (low > high || std::max(group.y.min, low) > std::min(group.y.max, high)) return false;
    group.y.min = std::max(group.y.min, low);
    group.y.max = std::min(group.y.max, high);
  } else {
    return false;
  }
  return group.y.min <= group.y.max;
}

/// The group that ends in this QuantizeLinear, when its scale is one constant and its output has 8 bits, or 16 without
/// zero point.
std::optional<Group> find_group(Lowering& lowering, NodeId id, RoundingProfile profile) {
  Graph& graph = lowering.graph();
  const Node& quantize = graph.node(id);
  const Tensor* scale = graph.constant(quantize.input(1));
  const Tensor* zero_point = graph.constant(quantize.input(2));
  if (scale == nullptr || scale->dtype() != DType::F32 || scale->size() != 1 || quantize.get_int("block_size") != 0)
    return std::nullopt;
  if (quantize.input(2) != ValueId::None && (zero_point == nullptr || zero_point->size() != 1)) return std::nullopt;
  Group group;
  group.profile = profile;
  group.quantize = id;
  group.result = quantize.output();
  group.y_dtype = zero_point != nullptr ? zero_point->dtype() : DType::U8;
  if (zero_point == nullptr && quantize.get_int("output_dtype") != 0)
    group.y_dtype = static_cast<DType>(quantize.get_int("output_dtype"));
  if (group.y_dtype != DType::S8 && group.y_dtype != DType::U8 && group.y_dtype != DType::S16) return std::nullopt;
  group.y.scale = scale->data<float>()[0];
  if (!(group.y.scale > 0.0f) || !std::isfinite(group.y.scale)) return std::nullopt;
  group.y.zero_point = zero_point != nullptr ? static_cast<std::int32_t>(zero_point->get_int(0)) : 0;
  if (group.y_dtype == DType::S16 && group.y.zero_point != 0) return std::nullopt;
  group.y.min = static_cast<std::int32_t>(integer_min(group.y_dtype));
  group.y.max = static_cast<std::int32_t>(integer_max(group.y_dtype));
  const Affine whole = group.y;
  ValueId value = quantize.input(0);
  while (const Node* node = graph.producer_of(value)) {
    if (node->kind == OpKind::DequantizeLinear) {
      const auto found = lowering.quantized(value);
      if (!found || !found->per_tensor()) return std::nullopt;
      group.x = *found;
      return group;
    }
    if (!lowering.uses().single(value)) return std::nullopt;
    if (!absorb_activation(graph, *node, group, whole)) {
      group.op = graph.value(value).producer;
      return group;
    }
    value = node->input(0);
  }
  return std::nullopt;
}

}  // namespace

bool lower_requantize(Lowering& lowering, const Group& group) {
  Quantized x = group.x;
  if (group.op != NodeId::None) {
    const Node& node = lowering.graph().node(group.op);
    if (node.kind != OpKind::Identity && node.kind != OpKind::Dropout) return false;
    const auto found = lowering.quantized(node.input(0));
    if (!found || !found->per_tensor()) return false;
    x = *found;
  }
  const bool fits = x.eight_bits() || x.dtype == DType::S16 || x.dtype == DType::U16;
  if (!fits) return false;
  Attributes attributes = lowering.output_attributes(group);
  append_affine(attributes, "x", x);
  lowering.replace(group, OpKind::QRequantize, {x.stored}, std::move(attributes));
  return true;
}

}  // namespace lowering

RoundingProfile rounding_profile(const Graph& graph) {
  const auto found = graph.metadata.find("adze.rounding");
  if (found == graph.metadata.end()) return RoundingProfile::Onnx;
  const auto profile = rounding_from_name(found->second);
  if (!profile) {
    throw ModelError(cat("metadata adze.rounding is ", quoted(found->second), ", expected tflm, litert or onnx"),
                     {graph.source_file, "", ""});
  }
  return *profile;
}

Graph lower_integers(Graph graph) {
  const RoundingProfile profile = rounding_profile(graph);
  int lowered = lowering::move_stored_values(graph);
  const Uses uses(graph);
  lowering::Lowering state(graph, uses);
  for (const NodeId id : topological_order(graph)) {
    check_cancelled();
    if (!graph.node(id).alive || graph.node(id).kind != OpKind::QuantizeLinear) continue;
    const auto group = lowering::find_group(state, id, profile);
    if (!group) continue;
    const bool done = group->op == NodeId::None ? lower_requantize(state, *group)
                                                : lower_compute(state, *group) || lower_arithmetic(state, *group) ||
                                                      lower_movement(state, *group) || lower_table(state, *group) ||
                                                      lower_requantize(state, *group);
    lowered += done ? 1 : 0;
  }
  if (lowered == 0) return graph;
  remove_dead_nodes(graph);
  infer_types(graph);
  return graph;
}

}  // namespace adze
