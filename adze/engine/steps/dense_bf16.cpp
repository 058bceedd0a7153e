#include "adze/engine/steps/dense_bf16.h"

#include <algorithm>

#include "adze/engine/kernels/dense_bf16/dense_bf16.h"
#include "adze/engine/steps/gate.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::DenseBf16Kernel;
using kernels::WindowGeometry;

/// Pixels of a block: their rounded rows should stay in the L2 cache while all columns of weights pass.
constexpr std::int64_t most_block_pixels = 224, least_block_pixels = 32, block_bytes = 1 << 19;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 18;
/// Columns that a thread takes at least.
constexpr std::int64_t column_step = 64;

const DenseBf16Kernel* kernel_for(const BindContext& context) {
  return context.compute() == Compute::Bf16 ? kernels::dense_bf16_kernel(context.isa()) : nullptr;
}

/// How the window of a pixel becomes a row of pairs.
struct Row {
  std::int64_t segments, depth;  ///< one a kernel row where its pixels lie side by side
  std::int64_t pairs, stride;

  explicit Row(const WindowGeometry& g) {
    const bool whole_rows = g.groups == 1 && g.dilation_width == 1;
    segments = g.kernel_height * (whole_rows ? 1 : g.kernel_width);
    depth = g.in_channels / g.groups * (whole_rows ? g.kernel_width : 1);
    pairs = kernels::dense_bf16_pairs(segments, depth);
    stride = kernels::dense_bf16_row_stride(pairs);
  }
  std::int64_t pixels_of_block() const {
    return std::clamp(block_bytes / (2 * stride), least_block_pixels, most_block_pixels);
  }
};

/// Weights and biases of all groups in the kernels' order.
struct Weights {
  std::span<const std::uint16_t> packed;
  std::span<const float> biases;
  std::int64_t columns, group_size, padded;

  Weights(const BindContext& context, const DenseF32Problem& problem, const Row& row)
      : columns(problem.weights.columns),
        group_size(kernels::packed_dense_bf16_size(columns, row.pairs)),
        padded((columns + kernels::dense_bf16_block - 1) / kernels::dense_bf16_block * kernels::dense_bf16_block) {
    const std::int64_t groups = problem.geometry.groups;
    packed = context.weights().packed_as<std::uint16_t>(
        context.origin(), "dense_bf16", groups * group_size, [&](std::span<std::uint16_t> to) {
          for (std::int64_t group = 0; group < groups; ++group) {
            kernels::DenseF32Source source = problem.weights;
            source.weights = source.weights + group * columns * source.column_step;
            kernels::pack_dense_bf16(source, row.depth, row.pairs, to.data() + group * group_size);
          }
        });
    if (!problem.bias) return;
    biases = context.weights().packed_as<float>(
        context.origin(), "dense_bf16 bias", groups * padded, [&](std::span<float> to) {
          for (std::int64_t j = 0; j < groups * columns; ++j) {
            to[static_cast<std::size_t>(j / columns * padded + j % columns)] = problem.bias(j);
          }
        });
  }
  const float* bias(std::int64_t group) const { return biases.empty() ? nullptr : biases.data() + group * padded; }
};

class DenseBf16Step final : public Step {
 public:
  DenseBf16Step(const BindContext& context, const DenseF32Problem& problem, const DenseBf16Kernel& kernel)
      : kernel_(kernel),
        gate_(gate_of(context)),
        g_(gate_ ? as_rows(problem.geometry) : as_one_row(problem.geometry)),
        row_(g_),
        blocks_(g_, row_.pixels_of_block()),
        weights_(context, problem, row_),
        low_(problem.low),
        high_(problem.high),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context) {
    const bool whole_rows = row_.segments == g_.kernel_height;
    for (std::int64_t ky = 0; ky < g_.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < (whole_rows ? 1 : g_.kernel_width); ++kx) {
        offsets_.push_back(blocks_.tap_offset(ky, kx));
      }
    }
    for (std::int64_t i = 0; i < blocks_.count(); ++i) most_pixels_ = std::max(most_pixels_, blocks_.at(i).pixels);
    const std::int64_t macs = g_.batch * g_.out_pixels() * g_.out_channels * row_.segments * row_.depth;
    threads_ = macs < least_parallel_macs ? 1 : context.threads();
    const bool few = threads_ > 1 && g_.batch * blocks_.count() < 2 * threads_;
    const std::int64_t pieces = std::clamp<std::int64_t>(weights_.columns / column_step, 1, 4 * threads_);
    piece_ = few ? (weights_.columns / pieces + column_step - 1) / column_step * column_step : weights_.columns;
    pieces_ = (weights_.columns + piece_ - 1) / piece_;
  }

  void run() override {
    const std::int64_t blocks = g_.batch * blocks_.count();
    run_parallel(threads_, blocks * pieces_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i / pieces_, i % pieces_);
    });
    if (pieces_ == 1 || post_ops_.empty()) return;
    run_parallel(threads_, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) finish(i);
    });
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  void run_block(std::int64_t index, std::int64_t piece) const {
    const std::int64_t picture = index / blocks_.count(), inputs = g_.in_channels / g_.groups;
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const float* base = gate_ ? gate_->products(picture, block.first_pixel, block.pixels)
                              : blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels);
    const float* rows[PictureBlocks::most_pixels];
    auto* rounded = thread_elements<std::uint16_t>(most_pixels_ * row_.stride, Scratch::Kernel);
    const std::int64_t first = piece * piece_, columns = std::min(piece_, weights_.columns - first);
    float* y = y_ + (picture * g_.out_pixels() + block.first_pixel) * g_.out_channels + first;
    for (std::int64_t group = 0; group < g_.groups; ++group) {
      blocks_.point_at_pixels(block, base + group * inputs, rows);
      kernels::round_bf16_rows(
          {rows, block.pixels, offsets_.data(), row_.segments, row_.depth, row_.pairs, rounded, row_.stride});
      const float* bias = weights_.bias(group);
      kernel_.run({rounded, row_.stride, block.pixels, row_.pairs,
                   weights_.packed.data() + group * weights_.group_size + first * row_.pairs * 2, columns,
                   bias == nullptr ? nullptr : bias + first, low_, high_, y + group * weights_.columns,
                   g_.out_channels});
    }
    if (pieces_ == 1) finish(index);
  }

  /// When all columns of the block are there.
  void finish(std::int64_t index) const {
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const std::int64_t first = index / blocks_.count() * g_.out_pixels() + block.first_pixel;
    post_ops_.apply(y_ + first * g_.out_channels, first, block.pixels);
  }

  DenseBf16Kernel kernel_;
  std::optional<Gate> gate_;
  WindowGeometry g_;
  Row row_;
  PictureBlocks blocks_;
  Weights weights_;
  float low_, high_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  std::vector<std::int64_t> offsets_;
  std::int64_t most_pixels_ = 0, piece_ = 0, pieces_ = 1;
  int threads_ = 1;
};

/// One matrix of the batch: both factors are rounded into this thread's memory.
void multiply(const DenseBf16Kernel& kernel, const Bf16Product& p, const float* left, const float* right, float* y) {
  const std::int64_t pairs = kernels::dense_bf16_pairs(1, p.depth), stride = kernels::dense_bf16_row_stride(pairs);
  const std::int64_t rows_size = p.rows * stride, zero = 0;
  auto* rounded =
      thread_elements<std::uint16_t>(rows_size + kernels::packed_dense_bf16_size(p.columns, pairs), Scratch::Kernel);
  std::uint16_t* weights = rounded + rows_size;
  constexpr std::int64_t together = 256;
  const float* rows[together];
  for (std::int64_t r = 0; r < p.rows; r += together) {
    const std::int64_t count = std::min(together, p.rows - r);
    for (std::int64_t i = 0; i < count; ++i) rows[i] = left + (r + i) * p.depth;
    kernels::round_bf16_rows({rows, count, &zero, 1, p.depth, pairs, rounded + r * stride, stride});
  }
  kernels::pack_bf16_weights({right, p.columns, p.depth, p.columns, pairs, weights});
  kernel.run({rounded, stride, p.rows, pairs, weights, p.columns, nullptr, p.low, p.high, y, p.columns});
}

}  // namespace

std::unique_ptr<Step> make_dense_bf16_step(const BindContext& context, const DenseF32Problem& problem) {
  const DenseBf16Kernel* kernel = kernel_for(context);
  return kernel == nullptr ? nullptr : std::make_unique<DenseBf16Step>(context, problem, *kernel);
}

std::unique_ptr<Step> make_product_bf16_step(const BindContext& context, const Bf16Product& product) {
  const DenseBf16Kernel* kernel = kernel_for(context);
  if (kernel == nullptr) return nullptr;
  const float *left = context.in<float>(0), *right = context.in<float>(1);
  float* y = context.out<float>();
  return make_step(kernel->name, [=, kernel = *kernel, threads = context.threads()] {
    run_parallel(threads, product.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        multiply(kernel, product, left + i * product.rows * product.depth, right + i * product.depth * product.columns,
                 y + i * product.rows * product.columns);
      }
    });
  });
}

}  // namespace adze::engine
