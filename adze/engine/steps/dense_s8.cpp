#include <algorithm>

#include "adze/base/text.h"
#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/steps/convolution_s8.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops_s8.h"
#include "adze/engine/steps/scratch.h"
#include "adze/engine/steps/window_segments.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

/// Pixels of a block: all columns of weights pass over it once, so many are good while its rows stay in the cache.
constexpr std::int64_t block_pixels = 168;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 20;

class DenseS8Step final : public Step {
 public:
  DenseS8Step(const BindContext& context, const ConvS8Problem& problem)
      : kernel_(kernels::gemm_s8_kernel(context.isa())),
        g_(as_one_row(problem.geometry)),
        pad_(problem.pad),
        flip_(problem.flip),
        blocks_(g_, block_pixels, flip_ != 0 || context.constant(0) != nullptr),
        segments_(g_, blocks_),
        stage_(problem.stage),
        x_(context.in_u8(0)),
        y_(context.out<std::uint8_t>()),
        post_ops_(context) {
    const std::int64_t macs = g_.batch * g_.out_pixels() * g_.out_channels * segments_.bytes * segments_.count;
    threads_ = macs < least_parallel_macs ? 1 : context.threads();
    const std::int64_t outputs = g_.out_channels / g_.groups;
    group_bytes_ = kernels::packed_gemm_s8_bytes(outputs, segments_.count, segments_.bytes);
    packed_ = context.weights().packed_as<std::int8_t>(
        context.origin(), "gemm_s8", g_.groups * group_bytes_, [&](std::span<std::int8_t> to) {
          constexpr std::int64_t together = 64;  // columns: few, so that no second copy of large weights is made
          for (std::int64_t group = 0; group < g_.groups; ++group) {
            for (std::int64_t first = 0; first < outputs; first += together) {
              const std::int64_t count = std::min(together, outputs - first);
              const std::vector<std::int8_t> weights = problem.ordered_weights(group * outputs + first, count);
              kernels::pack_gemm_s8(weights.data(), count, segments_.count, segments_.bytes,
                                    to.data() + group * group_bytes_ + first * column_bytes(outputs));
            }
          }
        });
    cut_columns(outputs);
    for (std::int64_t i = 0; i < blocks_.count(); ++i) cut_.push_back(blocks_.at(i));
    if (!kernel_.copies_rows) return;
    std::int64_t most = 0;
    for (const PictureBlocks::Block& block : cut_) most = std::max(most, block.pixels);
    scratch_ = kernels::gemm_s8_scratch(most, parts_.front().columns, segments_.quads());
  }

  void run() override {
    const auto parts = static_cast<std::int64_t>(parts_.size()) / parts_together_;
    if (g_.batch * blocks_.count() * parts == 1) return run_block(0, 0);
    run_parallel(threads_, g_.batch * blocks_.count() * parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i / parts, i % parts * parts_together_);
    });
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  /// Some columns of one group.
  struct Part {
    std::int64_t first_channel, first_input;  ///< bytes of y's and x's pixels
    std::int64_t columns;
    const std::int8_t* weights;
    kernels::OutputStage stage;
  };

  std::int64_t column_bytes(std::int64_t outputs) const { return group_bytes_ / ((outputs + 15) / 16 * 16); }

  /// One part a group, or more where there are too few blocks of pixels for the threads.
  void cut_columns(std::int64_t outputs) {
    constexpr std::int64_t step = 64;
    const bool few = threads_ > 1 && post_ops_.empty() && g_.batch * blocks_.count() < 2 * threads_;
    const std::int64_t pieces = few ? std::clamp<std::int64_t>(outputs / step, 1, 4 * threads_) : 1;
    const std::int64_t width = (outputs / pieces + step - 1) / step * step;
    for (std::int64_t group = 0; group < g_.groups; ++group) {
      for (std::int64_t first = 0; first < outputs; first += pieces == 1 ? outputs : width) {
        const std::int64_t channel = group * outputs + first;
        parts_.push_back(
            {channel, group * (g_.in_channels / g_.groups), pieces == 1 ? outputs : std::min(width, outputs - first),
             packed_.data() + group * group_bytes_ + first * column_bytes(outputs), stage_.stage(channel)});
      }
    }
    parts_together_ = few ? 1 : static_cast<std::int64_t>(parts_.size());
  }

  void run_block(std::int64_t index, std::int64_t first_part) const {
    const std::int64_t picture = g_.batch == 1 ? 0 : index / blocks_.count();
    const PictureBlocks::Block& block = cut_[static_cast<std::size_t>(index - picture * blocks_.count())];
    const std::uint8_t* base = blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels, pad_, flip_);
    const std::uint8_t* rows[PictureBlocks::most_pixels];
    std::uint8_t* y = y_ + (picture * g_.out_pixels() + block.first_pixel) * g_.out_channels;
    const std::int64_t step_in_fours = block.rows == 1 || block.columns % 4 == 0 ? blocks_.right_step() : 0;
    std::uint8_t* scratch =
        scratch_.bytes == 0 ? nullptr : thread_elements<std::uint8_t>(scratch_.bytes, Scratch::Kernel);
    std::int64_t pointed_at = -1;
    for (std::int64_t i = first_part; i < first_part + parts_together_; ++i) {
      const Part& part = parts_[static_cast<std::size_t>(i)];
      if (part.first_input != pointed_at) blocks_.point_at_pixels(block, base + part.first_input, rows);
      pointed_at = part.first_input;
      kernel_.run({rows, block.pixels, segments_.quad_offsets.data(), segments_.quads(), part.weights, part.columns,
                   &part.stage, y + part.first_channel, g_.out_channels, step_in_fours, scratch_.tiles_together,
                   scratch});
    }
    finish(picture * g_.out_pixels() + block.first_pixel, block.pixels);
  }

  void finish(std::int64_t first_pixel, std::int64_t pixels) const {
    if (!post_ops_.empty()) post_ops_.apply(y_ + first_pixel * g_.out_channels, first_pixel, pixels);
  }

  kernels::GemmS8Kernel kernel_;
  WindowGeometry g_;
  std::uint8_t pad_, flip_;
  PictureBlocks blocks_;
  WindowSegments segments_;
  StageArrays stage_;
  const std::uint8_t* x_;
  std::uint8_t* y_;
  PostOpsS8 post_ops_;
  int threads_ = 1;
  std::int64_t group_bytes_ = 0, parts_together_ = 1;
  std::span<const std::int8_t> packed_;
  std::vector<Part> parts_;
  std::vector<PictureBlocks::Block> cut_;
  kernels::GemmS8Scratch scratch_ = {0, 0};
};

}  // namespace

std::unique_ptr<Step> make_dense_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  return std::make_unique<DenseS8Step>(context, problem);
}

}  // namespace adze::engine
