// Integer products with weights of few bits. The kernels of float products with coded weights (kernels/lowbit) add up
// whole numbers exactly as long as sums stay below 2^24: with all scales 1 their floats are the integer sums. These
// become the bias of a product with nothing, which requantizes them as every integer kernel does.
#include "adze/engine/steps/low_bit_s8.h"

#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/lowbit/lowbit.h"
#include "adze/engine/steps/post_ops_s8.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::LowbitLayout;

constexpr std::int64_t most_rows = 4;
/// Smaller matrices stay in the second cache, where bytes come as fast as they are multiplied.
constexpr std::int64_t least_weights = 1 << 18;
/// 128 * 8 for each product: sums stay below 2^24.
constexpr std::int64_t most_depth = 1 << 14;
constexpr std::int64_t group = kernels::lowbit_most_group;

/// 2 or 4, or 0 when the weights need more.
std::int64_t bits_of(const ConvS8Problem& problem, std::int64_t count) {
  const auto [low, high] = std::minmax_element(problem.weights, problem.weights + count);
  if (*low >= -2 && *high <= 1) return 2;
  return *low >= -8 && *high <= 7 ? 4 : 0;
}

class LowBitS8Step final : public Step {
 public:
  LowBitS8Step(const BindContext& context, const ConvS8Problem& problem, const LowbitLayout& layout)
      : multiply_(kernels::lowbit_kernel(context.isa())),
        finish_(kernels::gemm_s8_kernel(context.isa())),
        layout_(layout),
        rows_(problem.geometry.out_width),
        flip_(problem.flip ^ 0x80),
        stage_(problem.stage),
        x_(context.in_u8(0)),
        y_(context.out<std::uint8_t>()),
        post_ops_(context),
        digits_(static_cast<std::size_t>(rows_ * row_bytes())),
        x_scales_(static_cast<std::size_t>(rows_ * layout.groups()), 1.0F),
        x_sums_(x_scales_.size()),
        no_bias_(static_cast<std::size_t>(layout.blocks() * 64)),
        sums_(static_cast<std::size_t>(rows_ * layout.columns)),
        whole_sums_(static_cast<std::size_t>(layout.columns) + 32),
        no_weights_(static_cast<std::size_t>(kernels::packed_gemm_s8_bytes(layout.columns, 1, 4))),
        threads_(layout.bytes() < least_parallel_bytes ? 1 : context.threads()) {
    pack(context, problem);
    if (finish_.copies_rows) tiles_ = kernels::gemm_s8_scratch(1, layout.columns, 1);
  }

  void run() override {
    for (std::int64_t r = 0; r < rows_; ++r) take_row(r);
    run_parallel(threads_, layout_.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block) multiply(block);
    });
    for (std::int64_t r = 0; r < rows_; ++r) finish(r);
    if (!post_ops_.empty()) post_ops_.apply(y_, 0, rows_);
  }

  std::string kernel() const override { return cat(multiply_.name, " ", layout_.bits, " bits, integers"); }

 private:
  static constexpr std::int64_t least_parallel_bytes = 1 << 16;

  std::int64_t row_bytes() const { return layout_.groups() * layout_.padded_group(); }

  void pack(const BindContext& context, const ConvS8Problem& problem) {
    const std::int64_t depth = layout_.depth, columns = layout_.columns;
    const auto weight = [&](std::int64_t k, std::int64_t column) {
      return problem.weights[problem.turned ? k * columns + column : column * depth + k];
    };
    packed_ = context.weights().packed_as<std::uint8_t>(
        context.origin(), "low_bit_s8", layout_.bytes(), [&](std::span<std::uint8_t> to) {
          const auto code = [&](std::int64_t k, std::int64_t column) {
            return static_cast<std::uint8_t>(weight(k, column) + layout_.zero_point);
          };
          const auto scale = [](std::int64_t, std::int64_t) { return 1.0F; };
          kernels::pack_lowbit(layout_, {code, scale, {}}, to.data());
        });
    // The stage's bias is for inputs read as u8; digits are 128 less.
    start_ = context.weights().packed_as<std::int32_t>(
        context.origin(), "low_bit_s8 start", columns, [&](std::span<std::int32_t> to) {
          const std::int32_t* bias = stage_.stage().bias;
          for (std::int64_t column = 0; column < columns; ++column) {
            std::int64_t sum = 0;
            for (std::int64_t k = 0; k < depth; ++k) sum += weight(k, column);
            to[static_cast<std::size_t>(column)] =
                static_cast<std::int32_t>(static_cast<std::uint32_t>(bias[column] + 128 * sum));
          }
        });
  }

  /// The row's bytes as signed digits, and what each group's codes owe for their zero point.
  void take_row(std::int64_t r) {
    const std::uint8_t* x = x_ + r * layout_.depth;
    std::int8_t* digits = digits_.data() + r * row_bytes();
    std::int32_t* sums = x_sums_.data() + r * layout_.groups();
    for (std::int64_t g = 0; g < layout_.groups(); ++g) {
      const std::int64_t first = g * group, count = std::min(group, layout_.depth - first);
      std::int32_t sum = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        const auto digit = static_cast<std::int8_t>(x[first + i] ^ flip_);
        digits[g * layout_.padded_group() + i] = digit;
        sum += digit;
      }
      sums[g] = sum * layout_.sum_factor();
    }
  }

  void multiply(std::int64_t block) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::int64_t sums_bytes = rows_ * 64 * 4;
    auto* scratch = thread_elements<std::byte>(sums_bytes + kernels::lowbit_decoded_bytes, Scratch::Kernel);
    multiply_.run({digits_.data(),
                   x_scales_.data(),
                   x_sums_.data(),
                   rows_,
                   layout_.groups(),
                   layout_.chunks(),
                   packed_.data() + layout_.block_offset(block),
                   layout_.panels(block),
                   layout_.bits,
                   1,
                   layout_.step,
                   layout_.scale_bytes,
                   layout_.zero_points,
                   no_bias_.data() + block * 64,
                   -infinity,
                   infinity,
                   reinterpret_cast<float*>(scratch),
                   reinterpret_cast<std::uint8_t*>(scratch + sums_bytes),
                   sums_.data() + block * 64,
                   layout_.columns,
                   std::min<std::int64_t>(64, layout_.columns - block * 64)});
  }

  void finish(std::int64_t r) {
    const float* sums = sums_.data() + r * layout_.columns;
    for (std::int64_t j = 0; j < layout_.columns; ++j) {
      const auto start = static_cast<std::uint32_t>(start_[static_cast<std::size_t>(j)]);
      whole_sums_.data()[j] =
          static_cast<std::int32_t>(start + static_cast<std::uint32_t>(static_cast<std::int32_t>(sums[j])));
    }
    alignas(64) static constexpr std::uint8_t nothing[64] = {};
    const std::uint8_t* row = nothing;
    const std::int32_t offset = 0;
    kernels::OutputStage stage = stage_.stage();
    stage.bias = whole_sums_.data();
    std::uint8_t* tiles = tiles_.bytes == 0 ? nullptr : thread_elements<std::uint8_t>(tiles_.bytes, Scratch::Kernel);
    finish_.run({&row, 1, &offset, 1, no_weights_.data(), layout_.columns, &stage, y_ + r * layout_.columns,
                 layout_.columns, 0, tiles_.tiles_together, tiles});
  }

  kernels::LowbitKernel multiply_;
  kernels::GemmS8Kernel finish_;
  LowbitLayout layout_;
  std::int64_t rows_;
  std::uint8_t flip_;
  StageArrays stage_;
  const std::uint8_t* x_;
  std::uint8_t* y_;
  PostOpsS8 post_ops_;
  LineArray<std::int8_t> digits_;
  std::vector<float> x_scales_;
  std::vector<std::int32_t> x_sums_;
  LineArray<float> no_bias_, sums_;
  LineArray<std::int32_t> whole_sums_;
  LineArray<std::int8_t> no_weights_;
  int threads_;
  std::span<const std::uint8_t> packed_;
  std::span<const std::int32_t> start_;
  kernels::GemmS8Scratch tiles_ = {0, 0};
};

}  // namespace

std::unique_ptr<Step> make_low_bit_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  const std::int64_t depth = problem.geometry.in_channels, columns = problem.geometry.out_channels;
  const bool worth_it = problem.geometry.out_width <= most_rows && depth * columns >= least_weights &&
                        kernels::lowbit_kernel(context.isa()).isa == Isa::Avx512Vnni;
  if (!worth_it || depth > most_depth) return nullptr;
  const auto kept = context.weights().packed_as<std::int64_t>(
      context.origin(), "low_bit_s8 bits", 1,
      [&](std::span<std::int64_t> to) { to[0] = bits_of(problem, depth * columns); });
  if (kept[0] == 0) return nullptr;
  LowbitLayout layout;
  layout.depth = depth;
  layout.columns = columns;
  layout.group = group;
  layout.bits = static_cast<int>(kept[0]);
  layout.scale_bytes = 2;
  layout.zero_point = 1 << (kept[0] - 1);
  return std::make_unique<LowBitS8Step>(context, problem, layout);
}

}  // namespace adze::engine
