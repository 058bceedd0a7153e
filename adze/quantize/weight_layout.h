#pragma once

#include <cstdint>
#include <optional>

#include "adze/graph/graph.h"

namespace adze::quantize {

/// Where a layer's weights stand in its product: y[group, out] = Σ over in of w[group, out, in] · x[group, in], where
/// in = channel · taps + tap. Convolutions have a tap for each position of the kernel, products have one.
struct WeightLayout {
  std::int64_t groups = 1;
  std::int64_t outputs = 0;   ///< of one group
  std::int64_t channels = 0;  ///< input channels of one group
  std::int64_t taps = 1;
  std::int64_t group_step = 0, output_step = 0, channel_step = 0;  ///< in the tensor; taps lie side by side

  std::int64_t inputs() const { return channels * taps; }
  std::int64_t all_outputs() const { return groups * outputs; }
  std::int64_t all_channels() const { return groups * channels; }
  std::size_t index(std::int64_t group, std::int64_t output, std::int64_t input) const {
    return static_cast<std::size_t>(group * group_step + output * output_step + input / taps * channel_step +
                                    input % taps);
  }
};

/// Of a Conv, ConvTranspose, Gemm or MatMul with constant weights [K, N] on the right; nothing for others.
std::optional<WeightLayout> weight_layout(const Node& node, const Shape& weight);

}  // namespace adze::quantize
