#include <algorithm>
#include <vector>

#include "adze/engine/kernels/conv_f32/conv_f32.h"

namespace adze::kernels {

namespace {

/// Plain loops; weights turned to [group, tap, channel, output] so that the innermost loop runs along memory.
class RefConvF32 final : public ConvF32 {
 public:
  RefConvF32(const WindowGeometry& geometry, const ConvF32Weights& given)
      : geometry_(geometry),
        low_(given.low),
        high_(given.high),
        bias_(static_cast<std::size_t>(geometry.out_channels), 0.0f),
        weights_(static_cast<std::size_t>(geometry.out_channels * group_inputs() * geometry.taps())) {
    if (given.bias != nullptr) std::copy_n(given.bias, geometry.out_channels, bias_.begin());
    std::size_t next = 0;
    for (std::int64_t g = 0; g < geometry.groups; ++g) {
      for (std::int64_t tap = 0; tap < geometry.taps(); ++tap) {
        for (std::int64_t c = 0; c < group_inputs(); ++c) {
          for (std::int64_t o = 0; o < group_outputs(); ++o) {
            weights_[next++] = given.weights[((g * group_outputs() + o) * group_inputs() + c) * geometry.taps() + tap];
          }
        }
      }
    }
  }

  void run(const float* x, float* y) const override {
    for (std::int64_t row = 0; row < geometry_.out_height; ++row) {
      for (std::int64_t column = 0; column < geometry_.out_width; ++column, y += geometry_.out_channels) {
        pixel(x, row, column, y);
      }
    }
  }
  std::string name() const override { return "conv_f32 ref"; }
  std::int64_t packed_bytes() const override { return static_cast<std::int64_t>((weights_.size() + bias_.size()) * 4); }

 private:
  std::int64_t group_inputs() const { return geometry_.in_channels / geometry_.groups; }
  std::int64_t group_outputs() const { return geometry_.out_channels / geometry_.groups; }

  void pixel(const float* x, std::int64_t row, std::int64_t column, float* y) const {
    const WindowGeometry& g = geometry_;
    std::copy(bias_.begin(), bias_.end(), y);
    for (std::int64_t ky = 0; ky < g.kernel_height; ++ky) {
      const std::int64_t in_row = row * g.stride_height - g.pad_top + ky * g.dilation_height;
      if (in_row < 0 || in_row >= g.in_height) continue;
      for (std::int64_t kx = 0; kx < g.kernel_width; ++kx) {
        const std::int64_t in_column = column * g.stride_width - g.pad_left + kx * g.dilation_width;
        if (in_column < 0 || in_column >= g.in_width) continue;
        add_tap(x + (in_row * g.in_width + in_column) * g.in_channels, ky * g.kernel_width + kx, y);
      }
    }
    for (std::int64_t o = 0; o < g.out_channels; ++o) y[o] = std::min(std::max(y[o], low_), high_);
  }

  void add_tap(const float* x, std::int64_t tap, float* y) const {
    for (std::int64_t g = 0; g < geometry_.groups; ++g) {
      const float* weights = weights_.data() + (g * geometry_.taps() + tap) * group_inputs() * group_outputs();
      float* out = y + g * group_outputs();
      for (std::int64_t c = 0; c < group_inputs(); ++c, weights += group_outputs()) {
        const float value = x[g * group_inputs() + c];
        for (std::int64_t o = 0; o < group_outputs(); ++o) out[o] += value * weights[o];
      }
    }
  }

  WindowGeometry geometry_;
  float low_, high_;
  std::vector<float> bias_, weights_;
};

}  // namespace

std::unique_ptr<ConvF32> conv_f32_ref(const WindowGeometry& geometry, const ConvF32Weights& weights, Isa) {
  return std::make_unique<RefConvF32>(geometry, weights);
}

}  // namespace adze::kernels
