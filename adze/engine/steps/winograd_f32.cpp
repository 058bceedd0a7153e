#include "adze/engine/steps/winograd_f32.h"

#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "adze/engine/kernels/dense_f32/dense_f32.h"
#include "adze/engine/kernels/winograd_f32/winograd_f32.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::DenseF32Kernel;
using kernels::DenseF32Panel;
using kernels::WindowGeometry;
using kernels::WinogradF32Kernel;

/// Points of a piece of work, before and after the products, should stay in the L2 cache.
constexpr std::int64_t piece_bytes = 3 << 19;
constexpr std::int64_t most_tiles = 256;
/// Weights above this come from beyond the L2 cache: they are fetched ahead.
constexpr std::int64_t far_weights_bytes = 1 << 20;
constexpr std::int64_t most_weights_bytes = 5 << 20;
/// Floats between points beside the tiles' own, so that points do not meet in one set of the cache.
constexpr std::int64_t gap = 16;

std::int64_t pieces(std::int64_t total, std::int64_t size) {
  return (total + size - 1) / size;
}

/// Time in multiply-adds; the transforms of a point and channel cost about as much as transform_cost of them.
double cost(const WindowGeometry& g, std::int64_t side) {
  constexpr double transform_cost = 12.0, weight_byte_cost = 1.5;
  const auto channels = static_cast<double>(g.in_channels * g.out_channels);
  if (side == 0) return 9.0 * static_cast<double>(g.out_pixels()) * channels;
  const std::int64_t points = (side + 2) * (side + 2);
  const std::int64_t tiles = pieces(g.out_height, side) * pieces(g.out_width, side);
  const auto bytes = static_cast<double>(points * 4) * channels;
  if (bytes > static_cast<double>(most_weights_bytes)) return std::numeric_limits<double>::infinity();
  return static_cast<double>(tiles * points) *
             (channels + transform_cost * static_cast<double>(g.in_channels + g.out_channels)) +
         (bytes > static_cast<double>(far_weights_bytes) ? weight_byte_cost * bytes : 0.0);
}

/// The side of the best tiles; 0: none.
std::int64_t best_side(const WindowGeometry& g) {
  if (g.kernel_height != 3 || g.kernel_width != 3 || g.stride_height != 1 || g.stride_width != 1 ||
      g.dilation_height != 1 || g.dilation_width != 1 || g.groups != 1) {
    return 0;
  }
  constexpr double least_gain = 1.25;
  const double plain = cost(g, 0) / least_gain, two = cost(g, 2), four = cost(g, 4);
  if (std::min(two, four) > plain) return 0;
  return four < two ? 4 : 2;
}

class WinogradF32Step final : public Step {
 public:
  WinogradF32Step(const BindContext& context, const WindowGeometry& g, const WinogradF32Kernel& kernel,
                  const DenseF32Kernel& dense, std::span<const float> packed)
      : kernel_(kernel),
        dense_(dense),
        g_(g),
        packed_(packed),
        padded_(kernels::dense_f32_padded(dense, g.out_channels)),
        panels_(kernels::dense_f32_panels(dense, g.out_channels)),
        zeros_(static_cast<std::size_t>(std::max(g.in_channels, padded_)), 0.0f),
        threads_(context.threads()),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Node& node = context.node();
    low_ = node.has("fused_low") ? node.get_float("fused_low") : -infinity;
    high_ = node.has("fused_high") ? node.get_float("fused_high") : infinity;
    across_ = pieces(g.out_width, kernel.side);
    down_ = pieces(g.out_height, kernel.side);
    const std::int64_t fit = piece_bytes / (kernel.points() * 4 * (g.in_channels + g.out_channels));
    const std::int64_t rows = std::clamp<std::int64_t>(std::min(fit, most_tiles) / across_, 1, down_);
    count_ = std::max(pieces(down_, rows), threads_ == 1 ? 1 : std::min<std::int64_t>(down_, 2 * threads_));
  }

  void run() override {
    run_parallel(threads_, g_.batch * count_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_rows(i / count_, i % count_);
    });
  }
  std::string kernel() const override { return kernel_.name; }

 private:
  void run_rows(std::int64_t picture, std::int64_t index) const {
    const std::int64_t first = down_ * index / count_, last = down_ * (index + 1) / count_;
    const std::int64_t tiles = (last - first) * across_;
    const std::int64_t x_step = tiles * g_.in_channels + gap, y_step = tiles * g_.out_channels + gap;
    float* x_points = thread_elements<float>(kernel_.points() * (x_step + y_step));
    float* y_points = x_points + kernel_.points() * x_step;
    const float* x = x_ + picture * g_.in_pixels() * g_.in_channels;
    for (std::int64_t t = 0; t < tiles; ++t) {
      transform_tile(x, first + t / across_, t % across_, x_points + t * g_.in_channels, x_step);
    }
    multiply(x_points, x_step, y_points, y_step, tiles);
    float* y = y_ + picture * g_.out_pixels() * g_.out_channels;
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t row = (first + t / across_) * kernel_.side, column = t % across_ * kernel_.side;
      kernel_.output({y_points + t * g_.out_channels, y_step, g_.out_channels, packed_.data(), low_, high_,
                      y + (row * g_.out_width + column) * g_.out_channels, g_.out_width * g_.out_channels,
                      g_.out_channels, std::min(kernel_.side, g_.out_height - row),
                      std::min(kernel_.side, g_.out_width - column)});
    }
    const std::int64_t row = first * kernel_.side, rows = std::min(last * kernel_.side, g_.out_height) - row;
    const std::int64_t pixel = picture * g_.out_pixels() + row * g_.out_width;
    post_ops_.apply(y_ + pixel * g_.out_channels, pixel, rows * g_.out_width);
  }

  void transform_tile(const float* x, std::int64_t tile_row, std::int64_t tile_column, float* points,
                      std::int64_t step) const {
    const float* pixels[36];
    const std::int64_t top = tile_row * kernel_.side - g_.pad_top, left = tile_column * kernel_.side - g_.pad_left;
    std::int64_t next = 0;
    for (std::int64_t row = top; row < top + kernel_.input_side(); ++row) {
      for (std::int64_t column = left; column < left + kernel_.input_side(); ++column) {
        const bool inside = row >= 0 && row < g_.in_height && column >= 0 && column < g_.in_width;
        pixels[next++] = inside ? x + (row * g_.in_width + column) * g_.in_channels : zeros_.data();
      }
    }
    kernel_.input({pixels, g_.in_channels, points, step});
  }

  void multiply(const float* x, std::int64_t x_step, float* y, std::int64_t y_step, std::int64_t tiles) const {
    static constexpr std::int64_t no_offset = 0;
    const bool far = static_cast<std::int64_t>(packed_.size()) * 4 > far_weights_bytes;
    const float* weights = packed_.data() + padded_;
    const float* const end = packed_.data() + packed_.size();
    const float* rows[most_tiles];
    for (std::int64_t point = 0; point < kernel_.points(); ++point, x += x_step, y += y_step) {
      for (std::int64_t t = 0; t < tiles; ++t) rows[t] = x + t * g_.in_channels;
      for (const DenseF32Panel& panel : panels_) {
        const std::int64_t count = panel.vectors * dense_.lanes * g_.in_channels;
        const float* next = weights + count;
        constexpr float infinity = std::numeric_limits<float>::infinity();
        dense_.run({rows, tiles, &no_offset, 1, g_.in_channels, weights, panel.vectors, panel.columns, zeros_.data(),
                    true, -infinity, infinity, next, far ? std::min<std::int64_t>(count, end - next) : 0,
                    y + panel.first, g_.out_channels});
        weights = next;
      }
    }
  }

  WinogradF32Kernel kernel_;
  DenseF32Kernel dense_;
  WindowGeometry g_;
  std::span<const float> packed_;  ///< bias, then by point as dense_f32 packs them
  std::int64_t padded_;
  std::vector<DenseF32Panel> panels_;
  std::vector<float> zeros_;
  int threads_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  float low_ = 0.0f, high_ = 0.0f;
  std::int64_t across_ = 0, down_ = 0;  ///< tiles
  std::int64_t count_ = 0;              ///< pieces of work of a picture: some rows of tiles each
};

}  // namespace

std::unique_ptr<Step> bind_winograd_f32(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  const Tensor& weights = *context.constant(1);
  const WindowGeometry g = geometry_of(context, weights.shape());
  const std::int64_t side = best_side(g);
  if (side == 0 || pieces(g.out_width, side) > most_tiles) return nullptr;
  const WinogradF32Kernel& kernel = kernels::winograd_f32_kernel(context.isa(), side);
  const DenseF32Kernel& dense = kernels::dense_f32_kernel(context.isa());
  const std::int64_t padded = kernels::dense_f32_padded(dense, g.out_channels), of_point = padded * g.in_channels;
  const auto packed = context.weights().packed_as<float>(
      context.origin(), cat("winograd_f32 ", side, " ", dense.name), padded + kernel.points() * of_point,
      [&](std::span<float> to) {
        std::fill_n(to.begin(), padded, 0.0f);
        if (context.has(2)) std::copy_n(context.in<float>(2), g.out_channels, to.begin());
        const std::vector<float> filters =
            kernels::winograd_f32_filters(side, weights.elements<float>(), g.out_channels, g.in_channels);
        for (std::int64_t point = 0; point < kernel.points(); ++point) {
          kernels::pack_dense_f32(dense,
                                  {filters.data() + point * g.out_channels * g.in_channels, 1, g.in_channels,
                                   g.out_channels, 0, 1, g.in_channels},
                                  to.data() + padded + point * of_point);
        }
      });
  return std::make_unique<WinogradF32Step>(context, g, kernel, dense, packed);
}

}  // namespace adze::engine
