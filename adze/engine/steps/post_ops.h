#pragma once

#include <cstdint>
#include <optional>

#include "adze/engine/kernels/binary_f32/binary_f32.h"
#include "adze/engine/kernels/unary_f32/unary_f32.h"
#include "adze/engine/step.h"

namespace adze::engine {

/// A function of one number that a node computes, as kernels/unary_f32 takes it.
struct UnaryFunction {
  kernels::UnaryF32Call::Function function;
  float a = 0.0f, b = 0.0f;
};
/// None for nodes that are not such a function, or whose settings are not constants. Clamps are not among them.
std::optional<UnaryFunction> unary_function_of(const Node& node);

/// The names of what engine/arrange puts on a float convolution for the nodes that alone read it: after the clamp
/// "fused_low", "fused_high", the sum with another value of the output's shape (the node's input post_add_input) and
/// its clamp, then a function.
inline constexpr std::size_t post_add_input = 3;
void set_post_add(Node& node, ValueId other);
void set_post_clamp(Node& node, float low, float high);
void set_post_function(Node& node, const UnaryFunction& function);

/// Applies them to finished pixels while they are in the cache. Every element gets the bits that the nodes alone would
/// give it.
class PostOps {
 public:
  explicit PostOps(const BindContext& context);

  /// y: [pixels][channels] of the output, its pixels counted from the first picture's first.
  void apply(float* y, std::int64_t first_pixel, std::int64_t pixels) const;
  bool empty() const { return other_ == nullptr && !function_; }

 private:
  std::int64_t channels_;
  const float* other_ = nullptr;
  bool clamps_ = false;
  float low_ = 0.0f, high_ = 0.0f;
  kernels::BinaryF32 add_ = nullptr;
  std::optional<UnaryFunction> function_;
  kernels::UnaryF32 run_function_ = nullptr;
};

}  // namespace adze::engine
