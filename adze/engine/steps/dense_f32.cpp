#include "adze/engine/steps/dense_f32.h"

#include <algorithm>
#include <cstring>

#include "adze/base/text.h"
#include "adze/engine/steps/gate.h"
#include "adze/engine/steps/picture_blocks.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::DenseF32Kernel;
using kernels::DenseF32Panel;
using kernels::WindowGeometry;

/// Weights that do not stay in the L2 cache while a block of pixels passes; they are read in parts that do. So are
/// smaller ones that few pixels pass: they come from beyond the L2 cache, where the other layers drove them. A single
/// tile of pixels reads each weight once, as it comes.
constexpr std::int64_t far_weights_bytes = 1 << 20, rare_weights_bytes = 1 << 17, few_pixels = 128, one_tile = 6;
constexpr std::int64_t far_part_depth = 192;
/// Pixels of a block: many, so that weights are read seldom, but their sums should stay in the cache.
constexpr std::int64_t near_block_pixels = 224, far_block_pixels = 512;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 18;

/// A stretch of the sums' depth: some whole segments, or a part of one.
struct Part {
  std::vector<std::int64_t> offsets;
  std::int64_t depth;  ///< of each segment
  std::int64_t total() const { return static_cast<std::int64_t>(offsets.size()) * depth; }
};

std::vector<Part> cut_depth(const std::vector<std::int64_t>& offsets, std::int64_t depth, bool far) {
  std::vector<Part> parts;
  const auto segments = static_cast<std::int64_t>(offsets.size());
  if (!far || segments * depth <= far_part_depth) return {{offsets, depth}};
  if (depth <= far_part_depth) {
    const std::int64_t together = far_part_depth / depth;
    for (std::int64_t s = 0; s < segments; s += together) {
      parts.push_back({{offsets.begin() + s, offsets.begin() + std::min(s + together, segments)}, depth});
    }
    return parts;
  }
  const std::int64_t count = (depth + far_part_depth - 1) / far_part_depth;
  for (const std::int64_t offset : offsets) {
    std::int64_t from = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t part = depth / count + (i < depth % count ? 1 : 0);
      parts.push_back({{offset + from}, part});
      from += part;
    }
  }
  return parts;
}

class DenseF32Step final : public Step {
 public:
  DenseF32Step(const BindContext& context, const DenseF32Problem& problem, const DenseF32Kernel& kernel,
               std::span<const float> packed)
      : kernel_(kernel),
        gate_(gate_of(context)),
        g_(gate_ ? as_rows(problem.geometry) : as_one_row(problem.geometry)),
        low_(problem.low),
        high_(problem.high),
        packed_(packed),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context) {
    const std::int64_t inputs = g_.in_channels / g_.groups;
    columns_ = g_.out_channels / g_.groups;
    depth_ = inputs * g_.taps();
    padded_ = kernels::dense_f32_padded(kernel, columns_);
    panels_ = kernels::dense_f32_panels(kernel, columns_);
    const std::int64_t bytes = g_.groups * padded_ * depth_ * 4, pixels = g_.batch * g_.out_pixels();
    far_ = pixels > one_tile && bytes > (pixels <= few_pixels ? rare_weights_bytes : far_weights_bytes);
    fetches_ = pixels > one_tile;  // when the last layer was as large, these weights left the L2 cache
    blocks_ = PictureBlocks(g_, far_ ? far_block_pixels : near_block_pixels);
    const bool whole_rows = g_.groups == 1 && g_.dilation_width == 1;
    std::vector<std::int64_t> offsets;
    for (std::int64_t ky = 0; ky < g_.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < (whole_rows ? 1 : g_.kernel_width); ++kx) {
        offsets.push_back(blocks_.tap_offset(ky, kx));
      }
    }
    parts_ = cut_depth(offsets, whole_rows ? g_.kernel_width * inputs : inputs, far_);
    threads_ = g_.out_pixels() * g_.batch * g_.out_channels * depth_ < least_parallel_macs ? 1 : context.threads();
    const auto units = static_cast<std::int64_t>(panels_.size());
    panel_groups_ =
        threads_ == 1 || g_.batch * blocks_.count() >= 2 * threads_ ? 1 : std::min<std::int64_t>(units, 4 * threads_);
  }

  void run() override {
    if (gate_) {
      for (std::int64_t n = 0; n < g_.batch; ++n) run_blocks(n * blocks_.count(), blocks_.count(), gated(n));
    } else {
      run_blocks(0, g_.batch * blocks_.count(), packed_.data());
    }
    if (panel_groups_ == 1 || post_ops_.empty()) return;
    run_parallel(threads_, g_.batch * blocks_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) finish(i);
    });
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  void run_blocks(std::int64_t first, std::int64_t count, const float* packed) const {
    run_parallel(threads_, count * panel_groups_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(first + i / panel_groups_, i % panel_groups_, packed);
    });
  }

  /// The weights times the picture's gate, in this thread's memory.
  const float* gated(std::int64_t picture) const {
    auto* to = thread_elements<float>(static_cast<std::int64_t>(packed_.size()), Scratch::Gate);
    std::copy_n(packed_.data(), padded_, to);  // the bias
    for (const DenseF32Panel& panel : panels_) {
      const std::int64_t at = padded_ + panel.first * depth_;
      kernel_.scale({packed_.data() + at, gate_->factors(picture), depth_, panel.vectors * kernel_.lanes, to + at});
    }
    return to;
  }

  void run_block(std::int64_t index, std::int64_t panel_group, const float* packed) const {
    const std::int64_t picture = index / blocks_.count();
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const float* base = blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels);
    const float* rows[PictureBlocks::most_pixels];
    const auto units = static_cast<std::int64_t>(panels_.size());
    const std::int64_t first = units * panel_group / panel_groups_, last = units * (panel_group + 1) / panel_groups_;
    float* y = y_ + (picture * g_.out_pixels() + block.first_pixel) * g_.out_channels;
    for (std::int64_t group = 0; group < g_.groups; ++group) {
      blocks_.point_at_pixels(block, base + group * (g_.in_channels / g_.groups), rows);
      const float* weights = packed + group * padded_ * (depth_ + 1);
      const float* end = packed + packed_.size();
      for (std::int64_t i = first; i < last; ++i) {
        run_panel(panels_[static_cast<std::size_t>(i)], rows, block.pixels, weights, end, y + group * columns_);
      }
    }
    if (panel_groups_ == 1) finish(index);
  }

  /// When all columns of the block are there.
  void finish(std::int64_t index) const {
    const PictureBlocks::Block block = blocks_.at(index % blocks_.count());
    const std::int64_t first = index / blocks_.count() * g_.out_pixels() + block.first_pixel;
    post_ops_.apply(y_ + first * g_.out_channels, first, block.pixels);
  }

  /// group: its bias, its panels. end: of all groups' weights.
  void run_panel(const DenseF32Panel& panel, const float* const* rows, std::int64_t pixels, const float* group,
                 const float* end, float* y) const {
    const std::int64_t width = panel.vectors * kernel_.lanes;
    const float* weights = group + padded_ + panel.first * depth_;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const Part& part = parts_[p];
      const float* next = weights + part.total() * width;
      const std::int64_t next_count = fetches_ ? std::min<std::int64_t>(part.total() * width, end - next) : 0;
      kernel_.run({rows, pixels, part.offsets.data(), static_cast<std::int64_t>(part.offsets.size()), part.depth,
                   weights, panel.vectors, panel.columns, p == 0 ? group + panel.first : nullptr,
                   p + 1 == parts_.size(), low_, high_, next, next_count, y + panel.first, g_.out_channels});
      weights = next;
    }
  }

  DenseF32Kernel kernel_;
  std::optional<Gate> gate_;
  WindowGeometry g_;
  float low_, high_;
  std::span<const float> packed_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  std::int64_t columns_ = 0, depth_ = 0, padded_ = 0, panel_groups_ = 1;
  bool far_ = false, fetches_ = false;
  int threads_ = 1;
  PictureBlocks blocks_;
  std::vector<DenseF32Panel> panels_;
  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<Step> make_dense_f32_step(const BindContext& context, const DenseF32Problem& problem) {
  const WindowGeometry& g = problem.geometry;
  const DenseF32Kernel& kernel = kernels::dense_f32_kernel(context.isa());
  const kernels::DenseF32Source& source = problem.weights;
  const std::int64_t depth = source.taps * source.inputs, padded = kernels::dense_f32_padded(kernel, source.columns);
  const auto packed = context.weights().packed_as<float>(
      context.origin(), kernel.name, g.groups * padded * (depth + 1), [&](std::span<float> to) {
        for (std::int64_t group = 0; group < g.groups; ++group) {
          float* bias = to.data() + group * padded * (depth + 1);
          for (std::int64_t j = 0; j < padded; ++j) {
            bias[j] = problem.bias && j < source.columns ? problem.bias(group * source.columns + j) : 0.0f;
          }
          kernels::DenseF32Source of_group = source;
          of_group.weights = source.weights + group * source.columns * source.column_step;
          kernels::pack_dense_f32(kernel, of_group, bias + padded);
        }
      });
  return std::make_unique<DenseF32Step>(context, problem, kernel, packed);
}

}  // namespace adze::engine
