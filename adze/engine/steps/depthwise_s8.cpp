#include <algorithm>
#include <cstring>

#include "adze/engine/kernels/depthwise_s8/depthwise_s8.h"
#include "adze/engine/steps/convolution_s8.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops_s8.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

/// Output pixels of a block: some rows, whose padded copy stays in the cache.
constexpr std::int64_t block_pixels = 224;
constexpr std::int64_t least_parallel_macs = 1 << 17;

class DepthwiseS8Step final : public Step {
 public:
  DepthwiseS8Step(const BindContext& context, const ConvS8Problem& problem)
      : kernel_(kernels::depthwise_s8_kernel(context.isa())),
        g_(problem.geometry),
        pad_(problem.pad),
        flip_(problem.flip),
        blocks_(g_, block_pixels, true),
        stages_(problem.stage),
        stage_(stages_.stage()),
        x_(context.in_u8(0)),
        y_(context.out<std::uint8_t>()),
        post_ops_(context) {
    threads_ = g_.batch * g_.out_pixels() * g_.out_channels * g_.taps() < least_parallel_macs ? 1 : context.threads();
    packed_ = context.weights().packed_as<std::int16_t>(
        context.origin(), "depthwise_s8", kernels::packed_depthwise_s8_count(g_.out_channels, g_.taps()),
        [&](std::span<std::int16_t> to) {
          kernels::pack_depthwise_s8(problem.weights, g_.out_channels, g_.taps(), to.data());
        });
    for (std::int64_t ky = 0; ky < g_.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < g_.kernel_width; ++kx) offsets_.push_back(blocks_.tap_offset(ky, kx));
    }
    if (offsets_.size() % 2 != 0) offsets_.push_back(offsets_.back());
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
    std::uint8_t* y = y_ + (picture * g_.out_pixels() + block.first_pixel) * g_.out_channels;
    for (std::int64_t row = 0; row < block.rows; ++row) {
      kernel_.run({base + row * blocks_.down_step(), g_.stride_width * g_.in_channels, block.columns, offsets_.data(),
                   static_cast<std::int64_t>(offsets_.size() / 2), packed_.data(), g_.out_channels, &stage_,
                   y + row * g_.out_width * g_.out_channels});
    }
    if (!post_ops_.empty()) post_ops_.apply(y, picture * g_.out_pixels() + block.first_pixel, block.pixels);
  }

  kernels::DepthwiseS8Kernel kernel_;
  WindowGeometry g_;
  std::uint8_t pad_, flip_;
  PictureBlocks blocks_;
  StageArrays stages_;
  kernels::OutputStage stage_;
  const std::uint8_t* x_;
  std::uint8_t* y_;
  PostOpsS8 post_ops_;
  int threads_ = 1;
  std::span<const std::int16_t> packed_;
  std::vector<std::int64_t> offsets_;
};

}  // namespace

std::unique_ptr<Step> make_depthwise_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  if (auto step = make_depthwise_quads_s8_step(context, problem)) return step;
  return std::make_unique<DepthwiseS8Step>(context, problem);
}

}  // namespace adze::engine
