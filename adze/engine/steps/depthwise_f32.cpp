#include "adze/engine/steps/depthwise_f32.h"

#include <algorithm>
#include <limits>

#include "adze/engine/kernels/depthwise_f32/depthwise_f32.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/post_ops.h"

namespace adze::engine {

namespace {

using kernels::DepthwiseF32Kernel;
using kernels::WindowGeometry;

/// The rows of x that a row of y reads, of the channels computed together, should stay in the L1 cache.
/// Where they are too few, rows are read whole: long stretches of memory come faster.
constexpr std::int64_t near_floats = 8 * 1024, least_channels = 112;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 17;
/// Rows finished together, all channels of them.
constexpr std::int64_t rows_together = 14;
constexpr std::int64_t row_grain = 4;
constexpr std::int64_t lanes = 16;  // of the widest kernel: weights are filled up to it

class DepthwiseF32Step final : public Step {
 public:
  DepthwiseF32Step(const BindContext& context, const WindowGeometry& g, std::span<const float> packed, float low,
                   float high)
      : kernel_(kernels::depthwise_f32_kernel(context.isa())),
        g_(g),
        packed_(packed),
        low_(low),
        high_(high),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context),
        padded_(static_cast<std::int64_t>(packed.size()) / (g.taps() + 1)) {
    threads_ = g.batch * g.out_pixels() * padded_ * g.taps() < least_parallel_macs ? 1 : context.threads();
    const std::int64_t fit = near_floats / (g.kernel_height * g.in_width) / lanes * lanes;
    channels_together_ = fit < least_channels ? g.in_channels : fit;
  }

  void run() override {
    run_parallel(threads_, g_.batch * g_.out_height, row_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; row += rows_together) run_rows(row, std::min(row + rows_together, end));
    });
  }
  std::string kernel() const override { return kernel_.name; }

 private:
  void run_rows(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t c = 0; c < g_.in_channels; c += channels_together_) {
      for (std::int64_t row = begin; row < end; ++row) run_row(row, c);
    }
    const std::int64_t pixel = begin * g_.out_width;
    post_ops_.apply(y_ + pixel * g_.out_channels, pixel, (end - begin) * g_.out_width);
  }

  void run_row(std::int64_t index, std::int64_t channel) const {
    const std::int64_t row = index % g_.out_height, x_row = g_.in_width * g_.in_channels;
    const std::int64_t top = row * g_.stride_height - g_.pad_top;
    std::int64_t first = 0, end = g_.kernel_height;
    while (first < end && top + first * g_.dilation_height < 0) ++first;
    while (end > first && top + (end - 1) * g_.dilation_height >= g_.in_height) --end;
    const float* picture = x_ + index / g_.out_height * g_.in_pixels() * g_.in_channels;
    const std::int64_t first_row = first < end ? top + first * g_.dilation_height : 0;
    kernel_.run({picture + first_row * x_row + channel, g_.dilation_height * x_row, end - first, g_.in_width,
                 g_.in_channels, packed_.data() + (1 + first * g_.kernel_width) * padded_ + channel, padded_,
                 g_.kernel_width, g_.stride_width, g_.dilation_width, g_.pad_left, packed_.data() + channel,
                 std::min(channels_together_, g_.in_channels - channel), low_, high_,
                 y_ + index * g_.out_width * g_.in_channels + channel, g_.out_width});
  }

  DepthwiseF32Kernel kernel_;
  WindowGeometry g_;
  std::span<const float> packed_;  ///< bias, then by tap
  float low_, high_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  std::int64_t padded_;
  std::int64_t channels_together_ = 0;
  int threads_ = 1;
};

}  // namespace

std::unique_ptr<Step> bind_depthwise_f32(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  const Tensor& weights = *context.constant(1);
  const WindowGeometry g = geometry_of(context, weights.shape());
  if (g.in_channels != g.groups || g.out_channels != g.groups) return nullptr;
  const std::int64_t padded = (g.in_channels + lanes - 1) / lanes * lanes;
  const auto packed = context.weights().packed_as<float>(
      context.origin(), "depthwise_f32", padded * (g.taps() + 1), [&](std::span<float> to) {
        std::fill(to.begin(), to.end(), 0.0f);
        if (context.has(2)) std::copy_n(context.in<float>(2), g.in_channels, to.begin());
        const Elements<float> given = weights.elements<float>();
        for (std::int64_t c = 0; c < g.in_channels; ++c) {
          for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
            to[static_cast<std::size_t>((1 + tap) * padded + c)] = given[c * g.taps() + tap];
          }
        }
      });
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const Node& node = context.node();
  return std::make_unique<DepthwiseF32Step>(context, g, packed,
                                            node.has("fused_low") ? node.get_float("fused_low") : -infinity,
                                            node.has("fused_high") ? node.get_float("fused_high") : infinity);
}

}  // namespace adze::engine
