#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// A node that multiplies by constant weights which nothing else reads: Conv, ConvTranspose, Gemm (alpha = beta = 1,
/// A not transposed) or MatMul (weights [K, N] on the right). What follows it channel by channel can go into it.
struct LinearLayer {
  NodeId id = NodeId::None;
  OpKind kind{};
  ValueId output = ValueId::None;
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;     ///< null: none
  std::int64_t channels = 0;        ///< of the output
  std::int64_t rank = 0;            ///< of the output
  std::int64_t channel_axis = 0;    ///< in the output
  std::vector<double> bias_values;  ///< one a channel, zeros when there is none
};

/// The node as a linear layer, or nothing when it is none, or its weights or bias are not constant or shared.
std::optional<LinearLayer> linear_layer(const RuleContext& context, NodeId id);

/// The layer that computes value, when only one node reads the value.
std::optional<LinearLayer> linear_layer_before(const RuleContext& context, ValueId value);

/// The weights with every output channel multiplied by its factor, in the weights' dtype.
Tensor with_scaled_outputs(const LinearLayer& layer, const Node& node, std::span<const double> factors);

/// Puts new weights and bias (empty: leave as it is) into the layer's node.
void change_layer(GraphEdit& edit, const RuleContext& context, const LinearLayer& layer, std::optional<Tensor> weight,
                  std::span<const double> bias);

}  // namespace adze::rewrite
