#include "adze/quantize/layers.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::quantize {

namespace {

bool is_f32(const Graph& graph, ValueId id) {
  return id != ValueId::None && graph.value(id).type.is_tensor() && graph.value(id).type.dtype == DType::F32;
}

bool constant_or_absent(const Graph& graph, ValueId id) {
  return id == ValueId::None || graph.constant(id) != nullptr;
}

/// prepared() has brought alpha, beta and the bias of constants into the plain form.
bool can_quantize_gemm(const Graph& graph, const Node& node) {
  if (node.get_int("transA") != 0 || node.get_float("alpha") != 1) return false;
  const Tensor* weight = graph.constant(node.input(1));
  if (weight == nullptr || node.input(2) == ValueId::None) return node.input(2) == ValueId::None;
  const Tensor* bias = graph.constant(node.input(2));
  return bias != nullptr && node.get_float("beta") == 1 && weight->rank() == 2 && bias->dtype() == DType::F32 &&
         bias->shape() == Shape{weight->dim(node.get_int("transB") != 0 ? 0 : 1)};
}

bool can_quantize_conv(const Graph& graph, const Node& node) {
  const Tensor* weight = graph.constant(node.input(1));
  return weight != nullptr && weight->rank() >= 3 && !weight->empty() && constant_or_absent(graph, node.input(2));
}

/// Padding with zeros or with the tensor's own elements.
bool can_quantize_pad(const Graph& graph, const Node& node) {
  if (node.get_string("mode") != "constant" || node.input(2) == ValueId::None) return true;
  const Tensor* value = graph.constant(node.input(2));
  return value != nullptr && value->size() == 1 && value->get_double(0) == 0;
}

bool has_one_data_output(const Node& node) {
  return std::count_if(node.outputs.begin() + 1, node.outputs.end(), [](ValueId id) { return id != ValueId::None; }) ==
         0;
}

}  // namespace

Role role_of(OpKind kind) {
  switch (kind) {
    case OpKind::Conv:
    case OpKind::ConvTranspose:
    case OpKind::Gemm:
    case OpKind::MatMul:
      return Role::Layer;
    case OpKind::Add:
    case OpKind::Sub:
    case OpKind::Mul:
    case OpKind::AveragePool:
    case OpKind::GlobalAveragePool:
    case OpKind::ReduceMean:
    case OpKind::Resize:
    case OpKind::Relu:
    case OpKind::Clip:
    case OpKind::LeakyRelu:
    case OpKind::HardSwish:
    case OpKind::HardSigmoid:
    case OpKind::Sigmoid:
    case OpKind::Tanh:
    case OpKind::Elu:
      return Role::Between;
    case OpKind::Concat:
    case OpKind::MaxPool:
    case OpKind::GlobalMaxPool:
    case OpKind::Reshape:
    case OpKind::Flatten:
    case OpKind::Transpose:
    case OpKind::Squeeze:
    case OpKind::Unsqueeze:
    case OpKind::Slice:
    case OpKind::Split:
    case OpKind::DepthToSpace:
    case OpKind::SpaceToDepth:
    case OpKind::Expand:
    case OpKind::Tile:
    case OpKind::Identity:
    case OpKind::Pad:
      return Role::Movement;
    case OpKind::Softmax:
      return Role::Final;
    default:
      return Role::None;
  }
}

bool can_quantize(const Graph& graph, const Node& node) {
  if (role_of(node.kind) == Role::None || !is_f32(graph, node.output())) return false;
  bool computes = false;
  for (const std::size_t input : data_inputs(node)) {
    if (!is_f32(graph, node.input(input))) return false;
    computes = computes || graph.constant(node.input(input)) == nullptr;
  }
  if (!computes) return false;
  switch (node.kind) {
    case OpKind::Conv:
    case OpKind::ConvTranspose:
      return can_quantize_conv(graph, node);
    case OpKind::Gemm:
      return can_quantize_gemm(graph, node);
    case OpKind::Pad:
      return can_quantize_pad(graph, node);
    case OpKind::Clip:
      return constant_or_absent(graph, node.input(1)) && constant_or_absent(graph, node.input(2));
    case OpKind::MaxPool:
      return has_one_data_output(node);
    default:
      return true;
  }
}

std::vector<std::size_t> data_inputs(const Node& node) {
  switch (node.kind) {
    case OpKind::Conv:
    case OpKind::ConvTranspose:
    case OpKind::Gemm:
    case OpKind::MatMul:
    case OpKind::Add:
    case OpKind::Sub:
    case OpKind::Mul:
      return {0, 1};
    case OpKind::Concat: {
      std::vector<std::size_t> all;
      for (std::size_t i = 0; i < node.inputs.size(); ++i) all.push_back(i);
      return all;
    }
    default:
      return {0};
  }
}

std::optional<std::size_t> weight_input(const Graph& graph, const Node& node) {
  if (role_of(node.kind) != Role::Layer) return std::nullopt;
  if (graph.constant(node.input(1)) != nullptr) return 1;
  if (node.kind == OpKind::MatMul && graph.constant(node.input(0)) != nullptr) return 0;
  return std::nullopt;
}

std::optional<std::size_t> bias_input(const Node& node) {
  const bool has_bias = node.kind == OpKind::Conv || node.kind == OpKind::ConvTranspose || node.kind == OpKind::Gemm;
  if (!has_bias || node.input(2) == ValueId::None) return std::nullopt;
  return 2;
}

std::optional<std::int64_t> channel_axis(const Node& node, std::int64_t rank) {
  switch (node.kind) {
    case OpKind::Conv:
      return 0;
    case OpKind::ConvTranspose:
      return node.get_int("group") == 1 ? std::optional<std::int64_t>(1) : std::nullopt;
    case OpKind::Gemm:
      return node.get_int("transB") != 0 ? 0 : 1;
    case OpKind::MatMul:
      return rank == 2 ? std::optional<std::int64_t>(1) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<std::pair<double, double>> known_range(OpKind kind) {
  // The TFLite specification fixes these: scale 1/256 from zero, 1/128 around zero.
  switch (kind) {
    case OpKind::Softmax:
    case OpKind::Sigmoid:
      return std::pair{0.0, 255.0 / 256};
    case OpKind::Tanh:
      return std::pair{-1.0, 127.0 / 128};
    default:
      return std::nullopt;
  }
}

bool is_skipped(const Node& node, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return matches_wildcard(pattern, node.name) || pattern == op_name(node.kind);
  });
}

}  // namespace adze::quantize
