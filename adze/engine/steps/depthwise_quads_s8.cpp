#include <algorithm>

#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8.h"
#include "adze/engine/steps/convolution_s8.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops_s8.h"

namespace adze::engine {

namespace {

using kernels::DepthwiseQuadsS8Kernel;
using kernels::WindowGeometry;

/// Bytes of a block's padded copy, with its output: they should stay in the L1 cache's neighbour.
constexpr std::int64_t block_bytes = 1 << 18;
constexpr std::int64_t least_rows = 4;
constexpr std::int64_t least_parallel_macs = 1 << 18;

std::int64_t block_pixels(const WindowGeometry& g, int threads) {
  const std::int64_t pixel_bytes = g.out_channels * (1 + g.stride_height * g.stride_width);
  std::int64_t rows = std::max(least_rows, block_bytes / (pixel_bytes * g.out_width));
  if (threads > 1) rows = std::clamp(rows, least_rows, std::max(least_rows, g.out_height / (2 * threads)));
  return rows * g.out_width;
}

std::vector<std::int64_t> quad_order(std::int64_t channels) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(kernels::quad_order_size(channels)), -1);
  kernels::each_in_quad_order(
      channels, [&](std::int64_t entry, std::int64_t channel) { order[static_cast<std::size_t>(entry)] = channel; });
  return order;
}

class DepthwiseQuadsS8Step final : public Step {
 public:
  DepthwiseQuadsS8Step(const BindContext& context, const ConvS8Problem& problem, const DepthwiseQuadsS8Kernel& kernel)
      : kernel_(kernel),
        g_(problem.geometry),
        pad_(problem.pad),
        flip_(problem.flip),
        threads_(g_.batch * g_.out_pixels() * g_.out_channels * g_.taps() < least_parallel_macs ? 1
                                                                                                : context.threads()),
        blocks_(g_, block_pixels(g_, threads_), true, kernels::quad_margin(g_.in_channels)),
        stages_(problem.stage, quad_order(g_.out_channels)),
        stage_(stages_.stage()),
        x_(context.in_u8(0)),
        y_(context.out<std::uint8_t>()),
        post_ops_(context) {
    packed_ = context.weights().packed_as<std::int8_t>(
        context.origin(), "depthwise_quads_s8", kernels::packed_depthwise_quads_s8_bytes(kernel.shape, g_.out_channels),
        [&](std::span<std::int8_t> to) {
          kernels::pack_depthwise_quads_s8(kernel.shape, problem.weights, g_.out_channels, to.data());
        });
  }

  void run() override {
    run_parallel(threads_, g_.batch * blocks_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i);
    });
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  void run_block(std::int64_t index) const {
    const std::int64_t picture = index / blocks_.count();
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const std::uint8_t* base = blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels, pad_, flip_);
    kernel_.run({base, blocks_.down_step() / g_.stride_height, g_.out_channels, block.rows, block.columns,
                 packed_.data(), &stage_, y_ + (picture * g_.out_pixels() + block.first_pixel) * g_.out_channels,
                 g_.out_width * g_.out_channels});
    const std::int64_t first = picture * g_.out_pixels() + block.first_pixel;
    if (!post_ops_.empty()) post_ops_.apply(y_ + first * g_.out_channels, first, block.pixels);
  }

  DepthwiseQuadsS8Kernel kernel_;
  WindowGeometry g_;
  std::uint8_t pad_, flip_;
  int threads_;
  PictureBlocks blocks_;
  StageArrays stages_;
  kernels::OutputStage stage_;
  const std::uint8_t* x_;
  std::uint8_t* y_;
  PostOpsS8 post_ops_;
  std::span<const std::int8_t> packed_;
};

}  // namespace

std::unique_ptr<Step> make_depthwise_quads_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  const WindowGeometry& g = problem.geometry;
  if (g.dilation_height != 1 || g.dilation_width != 1) return nullptr;
  const kernels::OutputStage stage = problem.stage.stage();
  if (stage.profile == kernels::OutputStage::Onnx && !stage.scales_below_one) return nullptr;
  const DepthwiseQuadsS8Kernel* kernel = kernels::depthwise_quads_s8_kernel(
      context.isa(), g.kernel_height, g.kernel_width, g.stride_height, g.stride_width);
  return kernel != nullptr ? std::make_unique<DepthwiseQuadsS8Step>(context, problem, *kernel) : nullptr;
}

}  // namespace adze::engine
