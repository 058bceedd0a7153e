#include "adze/engine/steps/sparse_s8.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "adze/base/text.h"
#include "adze/engine/kernels/spmm_s8/spmm_s8.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops_s8.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::spmm_s8_rows;
using kernels::WindowGeometry;

/// Pixels of a piece of work: several panels.
constexpr std::int64_t block_pixels = 192;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 20;
/// Fewer pixels leave most of a panel empty.
constexpr std::int64_t least_pixels = 8;

/// Weights [outputs][depth] and which inputs blocks of columns keep.
struct Dense {
  const std::int8_t* weights;
  std::int64_t columns, depth;

  std::vector<std::int32_t> kept(std::int64_t first, std::int64_t block) const {
    std::vector<std::int32_t> inputs;
    for (std::int64_t k = 0; k < depth; ++k) {
      bool any = false;
      for (std::int64_t j = first; j < std::min(first + block, columns); ++j) any = any || weights[j * depth + k] != 0;
      if (any) inputs.push_back(static_cast<std::int32_t>(k));
    }
    return inputs;
  }
  std::int64_t quads(std::int64_t block) const {
    std::int64_t count = 0;
    for (std::int64_t first = 0; first < columns; first += block) {
      count += (static_cast<std::int64_t>(kept(first, block).size()) + 3) / 4;
    }
    return count;
  }
};

std::int64_t blocks_of(std::int64_t columns, std::int64_t block) {
  return (columns + block - 1) / block;
}

/// Starts, indices, and the bytes of the weights, one after the other.
std::int64_t packed_numbers(std::int64_t columns, std::int64_t quads, std::int64_t block) {
  return blocks_of(columns, block) + 1 + (4 + block) * quads;
}

void pack(const Dense& dense, std::int64_t quads, std::int64_t block, std::span<std::int32_t> to) {
  std::fill(to.begin(), to.end(), 0);
  const std::int64_t blocks = blocks_of(dense.columns, block);
  std::int32_t* indices = to.data() + blocks + 1;
  auto* values = reinterpret_cast<std::int8_t*>(indices + 4 * quads);
  std::int32_t quad = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    to[static_cast<std::size_t>(b)] = quad;
    const std::vector<std::int32_t> inputs = dense.kept(b * block, block);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::int64_t q = quad + static_cast<std::int64_t>(i / 4), at = static_cast<std::int64_t>(i % 4);
      indices[4 * q + at] = inputs[i];
      for (std::int64_t c = 0; c < block && b * block + c < dense.columns; ++c) {
        values[(q * block + c) * 4 + at] = dense.weights[(b * block + c) * dense.depth + inputs[i]];
      }
    }
    quad += static_cast<std::int32_t>((inputs.size() + 3) / 4);
  }
  to[static_cast<std::size_t>(blocks)] = quad;
}

/// Every column 16 times, up to a multiple of two columns.
std::vector<std::int64_t> spread_order(std::int64_t columns, std::int64_t all) {
  std::vector<std::int64_t> order;
  for (std::int64_t j = 0; j < (all + 1) / 2 * 2; ++j) order.insert(order.end(), 16, j < columns ? j : -1);
  return order;
}

class SparseS8Step final : public Step {
 public:
  SparseS8Step(const BindContext& context, const ConvS8Problem& problem, std::int64_t block,
               std::span<const std::int32_t> packed)
      : kernel_(kernels::spmm_s8_kernel(context.isa())),
        g_(as_one_row(problem.geometry)),
        pad_(problem.pad),
        flip_(problem.flip),
        blocks_(g_, block_pixels, flip_ != 0 || context.constant(0) != nullptr),
        stage_(problem.stage),
        block_(block),
        column_blocks_(blocks_of(g_.out_channels, block)),
        spread_(problem.stage, spread_order(g_.out_channels, column_blocks_ * block)),
        x_(context.in_u8(0)),
        y_(context.out<std::uint8_t>()),
        post_ops_(context) {
    const bool whole_rows = g_.dilation_width == 1;
    for (std::int64_t ky = 0; ky < g_.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < (whole_rows ? 1 : g_.kernel_width); ++kx) {
        offsets_.push_back(blocks_.tap_offset(ky, kx));
      }
    }
    segment_depth_ = whole_rows ? g_.kernel_width * g_.in_channels : g_.in_channels;
    starts_ = packed.data();
    indices_ = starts_ + column_blocks_ + 1;
    const std::int64_t quads = starts_[column_blocks_];
    values_ = reinterpret_cast<const std::int8_t*>(indices_ + 4 * quads);
    threads_ = g_.batch * g_.out_pixels() * quads * 4 * block < least_parallel_macs ? 1 : context.threads();
  }

  void run() override {
    run_parallel(threads_, g_.batch * blocks_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i);
    });
  }

  std::string kernel() const override { return cat(kernel_.name, block_ == 8 ? " 8x1" : " 1x1"); }

 private:
  void run_block(std::int64_t index) const {
    const std::int64_t picture = index / blocks_.count();
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const std::uint8_t* rows[PictureBlocks::most_pixels];
    blocks_.point_at_pixels(block, blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels, pad_, flip_),
                            rows);
    const std::int64_t first_pixel = picture * g_.out_pixels() + block.first_pixel;
    std::uint8_t* y = y_ + first_pixel * g_.out_channels;
    const std::int64_t depth = segment_depth_ * static_cast<std::int64_t>(offsets_.size());
    auto* panel =
        thread_elements<std::uint8_t>((depth + 64 + column_blocks_ * block_ + 64) * spmm_s8_rows, Scratch::Kernel);
    const kernels::OutputStage stage = stage_.stage(), spread = spread_.stage();
    for (std::int64_t first = 0; first < block.pixels; first += spmm_s8_rows) {
      kernel_.run({rows + first, std::min(spmm_s8_rows, block.pixels - first), offsets_.data(),
                   static_cast<std::int64_t>(offsets_.size()), segment_depth_, block_, column_blocks_, starts_,
                   indices_, values_, &stage, &spread, panel, panel + (depth + 64) * spmm_s8_rows,
                   y + first * g_.out_channels, g_.out_channels, g_.out_channels});
    }
    if (!post_ops_.empty()) post_ops_.apply(y, first_pixel, block.pixels);
  }

  kernels::SpmmS8Kernel kernel_;
  WindowGeometry g_;
  std::uint8_t pad_, flip_;
  PictureBlocks blocks_;
  StageArrays stage_;
  std::int64_t block_, column_blocks_;
  StageArrays spread_;
  const std::uint8_t* x_;
  std::uint8_t* y_;
  PostOpsS8 post_ops_;
  std::vector<std::int64_t> offsets_;
  std::int64_t segment_depth_ = 0;
  const std::int32_t *starts_ = nullptr, *indices_ = nullptr;
  const std::int8_t* values_ = nullptr;
  int threads_ = 1;
};

/// Expected cycles for 32 pixels, by measured shares of what the units could do.
struct Times {
  double dense, single, blocks;
};

/// Products a cycle of the dense kernels; cycles that a quad of the sparse ones takes, and turning an input or output.
struct Costs {
  double dense_products, single_quad, block_quad, input, output;
};

Costs costs_of(Isa isa) {
  if (isa_allows(isa, Isa::Avx512Vbmi)) return {115, 6.8, 17, 4, 16};
  if (isa_allows(isa, Isa::Avx512Vnni)) return {115, 7, 24, 8, 32};
  if (isa_allows(isa, Isa::AvxVnni)) return {53, 7, 24, 8, 32};
  return {20, 12, 80, 8, 32};
}

Times expected_times(const Costs& costs, const Dense& dense, std::int64_t single_quads, std::int64_t block_quads,
                     std::int64_t pixels) {
  const double filled = static_cast<double>(pixels) / static_cast<double>((pixels + 31) / 32 * 32);
  const auto depth = static_cast<double>(dense.depth), columns = static_cast<double>(dense.columns);
  const double turning = costs.input * depth + costs.output * columns;
  return {filled * depth * columns * 32 / costs.dense_products,
          costs.single_quad * static_cast<double>(single_quads) + turning,
          costs.block_quad * static_cast<double>(block_quads) + turning};
}

/// Is a part of the weights, spread over all, mostly 0?
bool looks_sparse(const ConvS8Problem& problem, std::int64_t count) {
  constexpr std::int64_t looked_at = 512;
  constexpr double least_zeros = 0.5;
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < looked_at; ++i) zeros += problem.weights[i * 7919 % count] == 0 ? 1 : 0;
  return static_cast<double>(zeros) >= least_zeros * looked_at;
}

/// Outputs that share their inputs.
enum class Form : std::int64_t { Dense = 0, Single = 1, Blocks = 8 };

/// What there is to choose between, and what is expected to be fastest.
struct Choice {
  std::int64_t single_quads = 0, block_quads = 0;
  Form expected = Form::Dense;
};

std::optional<Choice> choice_for(const BindContext& context, const ConvS8Problem& problem) {
  const WindowGeometry& g = problem.geometry;
  const std::int64_t pixels = g.batch * g.out_pixels();
  if (g.groups != 1 || pixels < least_pixels || kernels::spmm_s8_kernel(context.isa()).isa == Isa::Ref) return {};
  const std::int64_t depth = g.taps() * g.in_channels;
  if (depth * g.out_channels >= INT32_MAX / 8) return {};
  // Kept with the packed weights, so that a session that finds them need not read the model's.
  const auto counts =
      context.weights().packed_as<std::int64_t>(context.origin(), "sparse counts", 3, [&](std::span<std::int64_t> to) {
        to[0] = looks_sparse(problem, depth * g.out_channels) ? 1 : 0;
        if (to[0] == 0) return;
        const std::vector<std::int8_t> ordered = problem.ordered_weights();
        const Dense dense{ordered.data(), g.out_channels, depth};
        to[1] = dense.quads(1);
        to[2] = dense.quads(8);
      });
  if (counts[0] == 0) return {};
  Choice choice{counts[1], counts[2]};
  const Times times =
      expected_times(costs_of(context.isa()), {nullptr, g.out_channels, depth}, counts[1], counts[2], pixels);
  if (std::min(times.single, times.blocks) < times.dense) {
    choice.expected = times.blocks < times.single ? Form::Blocks : Form::Single;
  }
  return choice;
}

std::unique_ptr<Step> make_step_of(const BindContext& context, const ConvS8Problem& problem, const Choice& choice,
                                   Form form) {
  const WindowGeometry& g = problem.geometry;
  const auto block = static_cast<std::int64_t>(form);
  const std::int64_t quads = form == Form::Blocks ? choice.block_quads : choice.single_quads;
  const auto packed = context.weights().packed_as<std::int32_t>(
      context.origin(), cat("spmm_s8 ", block), packed_numbers(g.out_channels, quads, block),
      [&](std::span<std::int32_t> to) {
        const std::vector<std::int8_t> ordered = problem.ordered_weights();
        pack({ordered.data(), g.out_channels, g.taps() * g.in_channels}, quads, block, to);
      });
  return std::make_unique<SparseS8Step>(context, problem, block, packed);
}

std::unique_ptr<Step> make_unexpected_step(const BindContext& context, const ConvS8Problem& problem, Form form) {
  const auto choice = choice_for(context, problem);
  if (!choice || choice->expected == form) return nullptr;
  return make_step_of(context, problem, *choice, form);
}

}  // namespace

std::unique_ptr<Step> make_sparse_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  const auto choice = choice_for(context, problem);
  if (!choice || choice->expected == Form::Dense) return nullptr;
  return make_step_of(context, problem, *choice, choice->expected);
}

std::unique_ptr<Step> make_unexpected_dense_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  const auto choice = choice_for(context, problem);
  return choice && choice->expected != Form::Dense ? make_dense_s8_step(context, problem) : nullptr;
}

std::unique_ptr<Step> make_single_sparse_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  return make_unexpected_step(context, problem, Form::Single);
}

std::unique_ptr<Step> make_block_sparse_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  return make_unexpected_step(context, problem, Form::Blocks);
}

}  // namespace adze::engine
