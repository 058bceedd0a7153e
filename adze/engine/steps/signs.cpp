#include "adze/engine/steps/signs.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "adze/base/text.h"
#include "adze/engine/kernels/geometry.h"
#include "adze/engine/kernels/sign_sums/sign_sums.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::SignLayout;
using kernels::SignSumsKernel;
using kernels::WindowGeometry;

/// Output pixels of a piece of work.
constexpr std::int64_t block_pixels = 32;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 22;

WindowGeometry window_of(const BindContext& context) {
  const Shape weights = context.shape(1);
  if (context.node().kind == OpKind::QConv) return geometry_of(context, weights);
  WindowGeometry g;
  g.in_channels = weights[1];
  g.out_channels = weights[0];
  g.in_width = g.out_width = num_elements(context.shape(0)) / weights[1];
  return g;
}

float bound(const BindContext& context, std::string_view name, float none) {
  return context.node().has(name) ? context.node().get_float(name) : none;
}

class SignsStep final : public Step {
 public:
  SignsStep(const BindContext& context, const WindowGeometry& geometry, const SignLayout& layout,
            std::span<const std::uint64_t> packed)
      : kernel_(kernels::sign_sums_kernel(context.isa())),
        g_(geometry),
        layout_(layout),
        packed_(packed),
        scales_(static_cast<std::size_t>(layout.blocks() * 8), 0.0f),
        bias_(scales_.size(), 0.0f),
        low_(bound(context, "fused_low", -std::numeric_limits<float>::infinity())),
        high_(bound(context, "fused_high", std::numeric_limits<float>::infinity())),
        x_(context.in<float>(0)),
        y_(context.out<float>()) {
    std::copy_n(context.in<float>(2), layout.columns, scales_.begin());
    if (context.has(3)) std::copy_n(context.in<float>(3), layout.columns, bias_.begin());
    const std::int64_t macs = g_.out_pixels() * g_.out_channels * layout.taps * layout.inputs;
    threads_ = macs < least_parallel_macs ? 1 : context.threads();
    negatives_.resize(static_cast<std::size_t>(g_.in_pixels() * layout.tap_words()));
    nonzeros_.resize(negatives_.size());
  }

  void run() override {
    const std::int64_t blocks = (g_.out_pixels() + block_pixels - 1) / block_pixels;
    for (std::int64_t n = 0; n < g_.batch; ++n) {
      const float* x = x_ + n * g_.in_pixels() * g_.in_channels;
      run_parallel(threads_, g_.in_pixels(), 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
          const std::int64_t at = p * layout_.tap_words();
          kernel_.pack({x + p * g_.in_channels, g_.in_channels, negatives_.data() + at, nonzeros_.data() + at});
        }
      });
      run_parallel(threads_, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) run_block(n, i * block_pixels);
      });
    }
  }

  std::string kernel() const override { return cat(kernel_.name, layout_.ternary ? " ternary" : " binary"); }

 private:
  void run_block(std::int64_t picture, std::int64_t first) const {
    const std::int64_t count = std::min(block_pixels, g_.out_pixels() - first), words = layout_.words();
    auto* negatives = thread_elements<std::uint64_t>(2 * block_pixels * words + block_pixels);
    auto* nonzeros = negatives + block_pixels * words;
    auto* full = reinterpret_cast<std::uint8_t*>(nonzeros + block_pixels * words);
    for (std::int64_t r = 0; r < count; ++r) {
      gather(first + r, negatives + r * words, nonzeros + r * words);
      std::int64_t inputs = 0;
      for (std::int64_t w = 0; w < words; ++w) inputs += std::popcount(nonzeros[r * words + w]);
      full[r] = inputs == layout_.taps * layout_.inputs;
    }
    float* y = y_ + (picture * g_.out_pixels() + first) * g_.out_channels;
    kernel_.run({negatives, nonzeros, full, count, words, static_cast<std::int32_t>(layout_.taps * layout_.inputs),
                 packed_.data(), layout_.ternary, layout_.columns, scales_.data(), bias_.data(), low_, high_, y,
                 g_.out_channels});
  }

  /// The window of an output pixel; padding is zero.
  void gather(std::int64_t pixel, std::uint64_t* negatives, std::uint64_t* nonzeros) const {
    const std::int64_t words = layout_.tap_words();
    for (std::int64_t ky = 0; ky < g_.kernel_height; ++ky) {
      const std::int64_t iy = pixel / g_.out_width * g_.stride_height - g_.pad_top + ky * g_.dilation_height;
      for (std::int64_t kx = 0; kx < g_.kernel_width; ++kx, negatives += words, nonzeros += words) {
        const std::int64_t ix = pixel % g_.out_width * g_.stride_width - g_.pad_left + kx * g_.dilation_width;
        const bool inside = iy >= 0 && iy < g_.in_height && ix >= 0 && ix < g_.in_width;
        const auto at = static_cast<std::size_t>(inside ? (iy * g_.in_width + ix) * words : 0);
        for (std::int64_t w = 0; w < words; ++w) {
          negatives[w] = inside ? negatives_[at + static_cast<std::size_t>(w)] : 0;
          nonzeros[w] = inside ? nonzeros_[at + static_cast<std::size_t>(w)] : 0;
        }
      }
    }
  }

  SignSumsKernel kernel_;
  WindowGeometry g_;
  SignLayout layout_;
  std::span<const std::uint64_t> packed_;
  std::vector<float> scales_, bias_;
  float low_, high_;
  const float* x_;
  float* y_;
  int threads_ = 1;
  std::vector<std::uint64_t> negatives_, nonzeros_;  ///< of a picture, pixel by pixel
};

}  // namespace

std::unique_ptr<Step> bind_signs(const BindContext& context) {
  if (!context.node().has(signs_attribute)) return nullptr;
  const WindowGeometry g = window_of(context);
  const Tensor& weights = *context.constant(1);
  const auto signs = weights.data<std::int8_t>();
  const SignLayout layout{g.taps(), g.in_channels, g.out_channels, std::ranges::find(signs, 0) != signs.end()};
  const auto packed = context.weights().packed_as<std::uint64_t>(
      context.origin(), layout.ternary ? "signs ternary" : "signs", layout.packed_words(),
      [&](std::span<std::uint64_t> to) {
        kernels::pack_sign_weights(
            layout,
            [&](std::int64_t tap, std::int64_t i, std::int64_t j) {
              return static_cast<float>(signs[static_cast<std::size_t>((j * layout.inputs + i) * layout.taps + tap)]);
            },
            to.data());
      });
  return std::make_unique<SignsStep>(context, g, layout, packed);
}

}  // namespace adze::engine
