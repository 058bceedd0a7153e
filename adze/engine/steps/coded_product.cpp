#include "adze/engine/steps/coded_product.h"

#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "adze/engine/steps/coded_form.h"
#include "adze/engine/steps/dense_f32.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::LowbitKernel;
using kernels::LowbitLayout;

/// Rows that pass over the weights together.
constexpr std::int64_t most_rows = 128;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_bytes = 1 << 16;
/// Without VNNI floats multiply as fast as digits: more rows than these are better off expanded.
constexpr std::int64_t few_rows = 8;

std::int64_t depth_of(const BindContext& context) {
  return context.shape(1)[context.node().get_int("turned") != 0 ? 1 : 0];
}

class LowbitStep final : public Step {
 public:
  LowbitStep(const BindContext& context, const LowbitKernel& kernel, const LowbitLayout& layout,
             std::span<const std::uint8_t> packed)
      : kernel_(kernel),
        layout_(layout),
        packed_(packed),
        rows_(num_elements(context.shape(0)) / layout.depth),
        digits_(context.node().get_int("input_bits") == 8 ? 1 : 3),
        low_(coded_low(context)),
        high_(coded_high(context)),
        bias_(static_cast<std::size_t>(layout.blocks() * 64), 0.0f),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context),
        threads_(layout.bytes() * rows_ < least_parallel_bytes ? 1 : context.threads()) {
    if (context.has(coded_bias_input)) std::copy_n(context.in<float>(coded_bias_input), layout.columns, bias_.begin());
    block_rows_ = std::min(rows_, most_rows);
    by_rows_ = threads_ > 1 && row_blocks() >= 2 * threads_;
    if (!by_rows_) shared_.resize(static_cast<std::size_t>(split_bytes()));
  }

  void run() override {
    if (by_rows_) {
      run_parallel(threads_, row_blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          auto* split = thread_elements<std::byte>(split_bytes());
          split_rows(i, split, 0, rows_of(i));
          multiply(i, split, 0, layout_.blocks());
          finish(i);
        }
      });
      return;
    }
    for (std::int64_t i = 0; i < row_blocks(); ++i) {
      run_parallel(threads_, rows_of(i), 8,
                   [&](std::int64_t begin, std::int64_t end) { split_rows(i, shared_.data(), begin, end); });
      run_parallel(threads_, layout_.blocks(), 1,
                   [&](std::int64_t begin, std::int64_t end) { multiply(i, shared_.data(), begin, end); });
      finish(i);
    }
  }

  std::string kernel() const override {
    return cat(kernel_.name, " ", layout_.bits, layout_.bits == 1 ? " bit, " : " bits, ",
               digits_ == 1 ? "int8 inputs" : "f32 inputs");
  }

 private:
  std::int64_t row_blocks() const { return (rows_ + block_rows_ - 1) / block_rows_; }
  std::int64_t rows_of(std::int64_t block) const { return std::min(block_rows_, rows_ - block * block_rows_); }
  std::int64_t row_bytes() const { return layout_.groups() * digits_ * layout_.padded_group(); }
  /// Scales, sums, then digits of a block of rows.
  std::int64_t split_bytes() const { return block_rows_ * (layout_.groups() * 4 * (1 + digits_) + row_bytes()); }
  float* scales_in(std::byte* split) const { return reinterpret_cast<float*>(split); }
  std::int32_t* sums_in(std::byte* split) const {
    return reinterpret_cast<std::int32_t*>(split) + block_rows_ * layout_.groups();
  }
  std::int8_t* digits_in(std::byte* split) const {
    return reinterpret_cast<std::int8_t*>(sums_in(split) + block_rows_ * layout_.groups() * digits_);
  }

  void split_rows(std::int64_t block, std::byte* split, std::int64_t begin, std::int64_t end) const {
    for (std::int64_t r = begin; r < end; ++r) {
      kernel_.split({x_ + (block * block_rows_ + r) * layout_.depth, layout_.depth, layout_.group,
                     layout_.padded_group(), digits_, digits_in(split) + r * row_bytes(),
                     scales_in(split) + r * layout_.groups(), sums_in(split) + r * layout_.groups() * digits_,
                     layout_.sum_factor()});
    }
  }

  /// All rows of the block with some blocks of columns.
  void multiply(std::int64_t block, std::byte* split, std::int64_t begin, std::int64_t end) const {
    const std::int64_t rows = rows_of(block), sums_bytes = rows * 64 * 4;
    auto* scratch = thread_elements<std::byte>(sums_bytes + kernels::lowbit_decoded_bytes, Scratch::Kernel);
    for (std::int64_t b = begin; b < end; ++b) {
      kernel_.run({digits_in(split),
                   scales_in(split),
                   sums_in(split),
                   rows,
                   layout_.groups(),
                   layout_.chunks(),
                   packed_.data() + layout_.block_offset(b),
                   layout_.panels(b),
                   layout_.bits,
                   digits_,
                   layout_.step,
                   layout_.scale_bytes,
                   layout_.zero_points,
                   bias_.data() + b * 64,
                   low_,
                   high_,
                   reinterpret_cast<float*>(scratch),
                   reinterpret_cast<std::uint8_t*>(scratch + sums_bytes),
                   y_ + block * block_rows_ * layout_.columns + b * 64,
                   layout_.columns,
                   std::min<std::int64_t>(64, layout_.columns - b * 64)});
    }
  }

  void finish(std::int64_t block) const {
    const std::int64_t first = block * block_rows_;
    post_ops_.apply(y_ + first * layout_.columns, first, rows_of(block));
  }

  LowbitKernel kernel_;
  LowbitLayout layout_;
  std::span<const std::uint8_t> packed_;
  std::int64_t rows_;
  int digits_;
  float low_, high_;
  std::vector<float> bias_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  int threads_;
  std::int64_t block_rows_ = 1;
  bool by_rows_ = false;
  std::vector<std::byte> shared_;
};

/// What coded_form found out, kept with the packed weights so that it need not be found again.
std::optional<LowbitLayout> layout_of(const BindContext& context, std::optional<CodedWeights>& weights) {
  const auto kept =
      context.weights().packed_as<std::int64_t>(context.origin(), "lowbit form", 6, [&](std::span<std::int64_t> to) {
        weights = coded_weights_of(context);
        const auto form = coded_form(*weights);
        if (!form) return;
        const LowbitLayout& layout = form->layout;
        const std::int64_t numbers[] = {layout.group,       layout.bits,        layout.step,
                                        layout.scale_bytes, layout.zero_points, layout.zero_point};
        std::copy_n(numbers, 6, to.begin());
      });
  if (kept[0] == 0) return std::nullopt;
  LowbitLayout layout;
  layout.depth = depth_of(context);
  layout.columns = context.output_shape().back();
  layout.group = kept[0];
  layout.bits = static_cast<int>(kept[1]);
  layout.step = static_cast<int>(kept[2]);
  layout.scale_bytes = static_cast<int>(kept[3]);
  layout.zero_points = kept[4] != 0;
  layout.zero_point = static_cast<std::int32_t>(kept[5]);
  return layout;
}

}  // namespace

bool is_coded_product(const BindContext& context) {
  if (!context.node().has(coded_attribute)) return false;
  const bool is_last = context.channels_last() || context.node().get_int("axis") == -1;
  return is_last && context.dtype(0) == DType::F32 && context.constant(1) != nullptr;
}

CodedWeights coded_weights_of(const BindContext& context) {
  const auto given = [&](std::size_t i) { return context.has(i) ? context.constant(i) : nullptr; };
  return coded_weights(context.node(), *context.constant(1), given(2), given(3), given(5));
}

float coded_low(const BindContext& context) {
  return context.node().has("fused_low") ? context.node().get_float("fused_low")
                                         : -std::numeric_limits<float>::infinity();
}

float coded_high(const BindContext& context) {
  return context.node().has("fused_high") ? context.node().get_float("fused_high")
                                          : std::numeric_limits<float>::infinity();
}

std::unique_ptr<Step> bind_coded_lowbit(const BindContext& context) {
  if (!is_coded_product(context)) return nullptr;
  const LowbitKernel& kernel = kernels::lowbit_kernel(context.isa());
  const bool rounds = context.node().get_int("input_bits") == 8;
  const std::int64_t rows = num_elements(context.shape(0)) / depth_of(context);
  if (!rounds && kernel.isa < Isa::Avx512Vnni && rows > few_rows) return nullptr;
  std::optional<CodedWeights> weights;
  const auto layout = layout_of(context, weights);
  if (!layout) return nullptr;
  const auto packed = context.weights().packed_as<std::uint8_t>(
      context.origin(), "lowbit", layout->bytes(), [&](std::span<std::uint8_t> to) {
        if (!weights) weights = coded_weights_of(context);
        pack_coded(*weights, *coded_form(*weights), to.data());
      });
  return std::make_unique<LowbitStep>(context, kernel, *layout, packed);
}

std::unique_ptr<Step> bind_coded_expanded(const BindContext& context) {
  if (!is_coded_product(context)) return nullptr;
  const std::int64_t depth = depth_of(context), columns = context.output_shape().back();
  DenseF32Problem problem;
  problem.geometry.in_width = problem.geometry.out_width = num_elements(context.shape(0)) / depth;
  problem.geometry.in_channels = depth;
  problem.geometry.out_channels = columns;
  std::vector<float> expanded;
  const CodedWeights weights = coded_weights_of(context);
  for (std::int64_t k = 0; k < depth; ++k) {
    for (std::int64_t j = 0; j < columns; ++j) expanded.push_back(weights.weight(k, j));
  }
  problem.weights = {Elements<float>(expanded.data()), 1, depth, columns, 0, columns, 1};
  if (context.has(coded_bias_input)) {
    problem.bias = [bias = context.in<float>(coded_bias_input)](std::int64_t j) { return bias[j]; };
  }
  problem.low = coded_low(context);
  problem.high = coded_high(context);
  return make_dense_f32_step(context, problem);
}

}  // namespace adze::engine
