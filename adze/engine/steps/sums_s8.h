#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "adze/engine/step.h"

namespace adze::engine {

/// Weights as products of bytes take them: w - shift[o] fits s8, and what remains of the zero point is the same for
/// all.
struct CentredWeights {
  std::vector<std::int32_t> shift;  ///< for each output
  std::int32_t rest = 0;
  bool turned = false;  ///< they are [K, O] of a product, not [O, …]
};

/// QConv and QGemm, not ConvInteger and MatMulInteger?
bool gives_bytes(OpKind kind);
/// The constant weights of such a node when bind_integer_sums surely binds it, convolutions with channels last.
std::optional<CentredWeights> centred_weights(const Graph& graph, const Node& node);
/// The node's step.
std::unique_ptr<Step> bind_integer_sums(const BindContext& context);

// After these, engine/fuse_sums puts the inputs of a Cast → Mul → Add that followed: the node then gives floats.
inline constexpr std::size_t sums_scale_input = 4;  ///< f32, one or one an output; known at run time only
inline constexpr std::size_t sums_bias_input = 5;   ///< f32 constant, one or one an output; optional
inline constexpr const char* sums_scaled = "sums_scaled";

/// The step of a MatMulInteger of two activations.
std::unique_ptr<Step> bind_integer_matmul(const BindContext& context);

}  // namespace adze::engine
