#pragma once

#include <cstdint>
#include <optional>

#include "adze/engine/kernels/binary_f32/binary_f32.h"
#include "adze/engine/step.h"

namespace adze::engine {

/// What engine/fuse_gates puts on a 1x1 convolution of floats: its input 0 is to be multiplied by one factor for each
/// picture and channel, the node's input gate_input of shape [N, C, 1, …].
inline constexpr std::size_t gate_input = 4;
void set_gate(Node& layer, ValueId x, ValueId gate);
inline bool has_gate(const BindContext& context) {
  return context.node().kind == OpKind::Conv && context.has(gate_input);
}

class Gate {
 public:
  explicit Gate(const BindContext& context);

  const float* factors(std::int64_t picture) const { return factors_ + picture * channels_; }
  /// Products with some pixels of a picture, [pixels][channels], in this thread's memory until its next call.
  const float* products(std::int64_t picture, std::int64_t first_pixel, std::int64_t pixels) const;

 private:
  std::int64_t pixels_, channels_;
  const float *x_, *factors_;
  kernels::BinaryF32 multiply_;
};

/// The gate of a layer that has one.
inline std::optional<Gate> gate_of(const BindContext& context) {
  return has_gate(context) ? std::optional<Gate>(context) : std::nullopt;
}

}  // namespace adze::engine
