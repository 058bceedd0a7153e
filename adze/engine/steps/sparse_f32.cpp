#include "adze/engine/steps/sparse_f32.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/engine/kernels/spmm_f32/spmm_f32.h"
#include "adze/engine/steps/gate.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/scratch.h"
#include "adze/engine/steps/sparse_weights.h"

namespace adze::engine {

namespace {

using kernels::SpmmF32Kernel;
using kernels::WindowGeometry;

/// Pixels of a piece of work: several tiles; more where no other thread waits for work. Sums do not depend on it.
constexpr std::int64_t block_pixels = 192, alone_pixels = 256;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 18;
/// A panel beyond this does not stay in the L2 cache beside the weights: it is made narrower.
constexpr std::int64_t most_panel_bytes = 1 << 19;
/// Fewer are not worth a panel.
constexpr std::int64_t few_pixels = 6;
/// Inputs of a slice for single weights: four vectors of each are 64 KB with AVX-512, 32 KB with AVX2.
constexpr std::int64_t slice_inputs = 256;

bool has_few_pixels(const DenseF32Problem& problem) {
  return problem.geometry.batch * problem.geometry.out_pixels() < few_pixels;
}

class SparseF32Step final : public Step {
 public:
  SparseF32Step(const BindContext& context, const DenseF32Problem& problem, const SpmmF32Kernel& kernel,
                const SparseWeights& weights)
      : kernel_(kernel),
        weights_(weights),
        g_(as_one_row(problem.geometry)),
        low_(problem.low),
        high_(problem.high),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context),
        few_(has_few_pixels(problem)),
        blocks_(g_, context.threads() > 1 ? block_pixels : alone_pixels) {
    const bool whole_rows = g_.dilation_width == 1;
    for (std::int64_t ky = 0; ky < g_.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < (whole_rows ? 1 : g_.kernel_width); ++kx) {
        offsets_.push_back(blocks_.tap_offset(ky, kx));
      }
    }
    segment_depth_ = whole_rows ? g_.kernel_width * g_.in_channels : g_.in_channels;
    depth_ = segment_depth_ * static_cast<std::int64_t>(offsets_.size());
    vectors_ = kernel_.most_vectors(weights_.block);
    while (vectors_ > 1 && depth_ * vectors_ * kernel_.lanes * 4 > most_panel_bytes) --vectors_;
    bias_.resize(static_cast<std::size_t>(weights_.blocks * weights_.block));
    for (std::int64_t j = 0; j < g_.out_channels && problem.bias; ++j)
      bias_[static_cast<std::size_t>(j)] = problem.bias(j);
    const auto kept = static_cast<std::int64_t>(weights_.values.size());
    threads_ = g_.out_pixels() * g_.batch * kept < least_parallel_macs ? 1 : context.threads();
  }

  void run() override {
    run_parallel(threads_, g_.batch * blocks_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i);
    });
  }

  std::string kernel() const override { return cat(kernel_.name, weights_.block == 8 ? " 8x1" : " 1x1"); }

 private:
  void run_block(std::int64_t index) const {
    const std::int64_t picture = index / blocks_.count();
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const float* rows[PictureBlocks::most_pixels];
    blocks_.point_at_pixels(block, blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels), rows);
    const std::int64_t first_pixel = picture * g_.out_pixels() + block.first_pixel;
    float* y = y_ + first_pixel * g_.out_channels;
    const std::int64_t lanes = kernel_.lanes, columns = weights_.blocks * weights_.block;
    const std::int64_t widest = vectors_ * lanes;
    float* panel = thread_elements<float>((depth_ + columns + 32) * widest, Scratch::Kernel);
    // Tiles of about the same number of vectors: a narrow last one would read all weights for few pixels.
    std::int64_t vectors_left = (block.pixels + lanes - 1) / lanes;
    std::int64_t tiles_left = (vectors_left + vectors_ - 1) / vectors_;
    for (std::int64_t first = 0; first < block.pixels; --tiles_left) {
      const std::int64_t vectors = (vectors_left + tiles_left - 1) / tiles_left;
      const std::int64_t count = std::min(vectors * lanes, block.pixels - first);
      kernel_.run({rows + first,
                   count,
                   few_ ? 0 : vectors,
                   offsets_.data(),
                   static_cast<std::int64_t>(offsets_.size()),
                   segment_depth_,
                   weights_.block,
                   weights_.blocks,
                   weights_.slices,
                   weights_.starts.data(),
                   weights_.indices.data(),
                   weights_.values.data(),
                   bias_.data(),
                   low_,
                   high_,
                   panel,
                   panel + (depth_ + 16) * widest,
                   y + first * g_.out_channels,
                   g_.out_channels,
                   g_.out_channels});
      first += count;
      vectors_left -= vectors;
    }
    post_ops_.apply(y, first_pixel, block.pixels);
  }

  SpmmF32Kernel kernel_;
  SparseWeights weights_;
  WindowGeometry g_;
  float low_, high_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  bool few_;
  PictureBlocks blocks_;
  std::vector<std::int64_t> offsets_;
  std::int64_t segment_depth_ = 0, depth_ = 0, vectors_ = 1;
  std::vector<float> bias_;
  int threads_ = 1;
};

/// Expected time of a vector of pixels, in vector instructions: measured shares of what the units could do.
struct Times {
  double dense, single, blocks;
};

/// Few rows read each weight once: what counts is the bytes, and gathering.
Times expected_times_of_few(const DenseF32Problem& problem, const SparseCounts& counts) {
  const auto weights = static_cast<double>(problem.weights.inputs * problem.weights.columns);
  constexpr double near_bytes = 1 << 20;
  const double dense = 4 * weights > near_bytes ? 0.4 : 0.1;
  return {dense * weights, 1.5 * static_cast<double>(counts.single), 1.2 * static_cast<double>(counts.blocks)};
}

Times expected_times(const DenseF32Problem& problem, const SparseCounts& counts, const SpmmF32Kernel& kernel) {
  const std::int64_t depth = problem.weights.taps * problem.weights.inputs, columns = problem.weights.columns;
  const std::int64_t rest = depth % 16 == 0 ? 0 : problem.weights.inputs % 16 * problem.weights.taps;
  const double turning = 9.0 * static_cast<double>(depth + columns) + 16.0 * static_cast<double>(rest);
  const WindowGeometry& g = problem.geometry;
  const bool winograd = g.taps() == 9 && g.kernel_height == 3 && g.stride_height == 1 && g.stride_width == 1;
  // Whole vectors of pixels are computed.
  const auto pixels = static_cast<double>(g.out_pixels());
  const double filled = pixels / static_cast<double>((g.out_pixels() + kernel.lanes - 1) / kernel.lanes * kernel.lanes);
  return {(winograd ? 0.35 : 0.68) * static_cast<double>(depth * columns),
          (kernel.single_time * static_cast<double>(counts.single) + turning) / filled,
          (kernel.block_time * 8 * static_cast<double>(counts.blocks) + turning) / filled};
}

/// Outputs that share their inputs.
enum class Form : std::int64_t { Dense = 0, Single = 1, Blocks = 8 };

/// What there is to choose between, and what is expected to be fastest.
struct Choice {
  SparseCounts counts;
  Form expected = Form::Dense;
};

std::optional<Choice> choice_for(const BindContext& context, const DenseF32Problem& problem) {
  if (has_gate(context) || problem.geometry.groups != 1) return std::nullopt;
  // Kept with the packed weights, so that a session that finds them need not read the model's.
  const auto kept =
      context.weights().packed_as<std::int64_t>(context.origin(), "sparse counts", 3, [&](std::span<std::int64_t> to) {
        const auto counted = count_sparse(problem.weights);
        to[0] = counted ? 1 : 0;
        to[1] = counted ? counted->single : 0;
        to[2] = counted ? counted->blocks : 0;
      });
  const SpmmF32Kernel& kernel = kernels::spmm_f32_kernel(context.isa());
  if (kept[0] == 0 || kernel.lanes == 1) return std::nullopt;
  Choice choice{{kept[1], kept[2]}};
  const bool few = has_few_pixels(problem);
  if (few && problem.geometry.taps() > 1) return std::nullopt;
  const Times times =
      few ? expected_times_of_few(problem, choice.counts) : expected_times(problem, choice.counts, kernel);
  if (std::min(times.single, times.blocks) < times.dense) {
    choice.expected = times.blocks < times.single ? Form::Blocks : Form::Single;
  }
  return choice;
}

std::unique_ptr<Step> make_step_of(const BindContext& context, const DenseF32Problem& problem,
                                   const SparseCounts& counts, Form form) {
  const SpmmF32Kernel& kernel = kernels::spmm_f32_kernel(context.isa());
  SparseForm packing{static_cast<std::int64_t>(form), 1};
  if (packing.block == 1 && !has_few_pixels(problem)) {
    const std::int64_t depth = problem.weights.taps * problem.weights.inputs;
    packing.slices = std::max<std::int64_t>(1, (depth + slice_inputs - 1) / slice_inputs);
  }
  const auto packed = context.weights().packed_as<std::int32_t>(
      context.origin(), cat(kernel.name, " ", packing.block, " ", packing.slices),
      sparse_numbers(problem.weights, counts, packing),
      [&](std::span<std::int32_t> to) { pack_sparse(problem.weights, packing, to); });
  const SparseWeights weights = sparse_weights_in(packed, problem.weights.columns, packing);
  return std::make_unique<SparseF32Step>(context, problem, kernel, weights);
}

std::unique_ptr<Step> make_unexpected_step(const BindContext& context, const DenseF32Problem& problem, Form form) {
  const auto choice = choice_for(context, problem);
  if (!choice || choice->expected == form) return nullptr;
  return make_step_of(context, problem, choice->counts, form);
}

}  // namespace

std::unique_ptr<Step> make_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem) {
  const auto choice = choice_for(context, problem);
  if (!choice || choice->expected == Form::Dense) return nullptr;
  return make_step_of(context, problem, choice->counts, choice->expected);
}

std::unique_ptr<Step> make_single_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem) {
  return make_unexpected_step(context, problem, Form::Single);
}

std::unique_ptr<Step> make_block_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem) {
  return make_unexpected_step(context, problem, Form::Blocks);
}

}  // namespace adze::engine
