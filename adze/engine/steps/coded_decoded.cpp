#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/engine/kernels/decoded_f32/decoded_f32.h"
#include "adze/engine/steps/coded_product.h"
#include "adze/engine/steps/post_ops.h"

namespace adze::engine {

namespace {

using kernels::DecodedF32Kernel;
using kernels::DecodedLayout;
using kernels::WeightCode;

/// More rows than these are faster with halves expanded to floats, for twice the memory.
constexpr std::int64_t few_rows = 32;
/// Rows that pass over a block of columns together.
constexpr std::int64_t block_rows = 96;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_bytes = 1 << 16;

/// How the weights are best stored. table: filled up to what kernels read.
WeightCode code_of(const CodedWeights& weights, std::vector<float>& table) {
  if (weights.is_half()) return weights.dtype == DType::F16 ? WeightCode::F16 : WeightCode::Bf16;
  const bool has_nan = std::ranges::any_of(
      weights.codes, [&](std::int16_t code) { return std::isnan(weights.table[static_cast<std::size_t>(code)]); });
  if (weights.dtype == DType::F8E4M3 && !has_nan) return WeightCode::F8E4M3;
  if (weights.dtype == DType::F8E5M2 && !has_nan) return WeightCode::F8E5M2;
  table = weights.table;
  const bool is_small = table.size() <= 16;
  table.resize(is_small ? 16 : 256, 0.0f);
  return is_small ? WeightCode::Table4 : WeightCode::Table8;
}

DecodedLayout layout_of(const CodedWeights& weights, WeightCode code) {
  DecodedLayout layout;
  layout.code = code;
  layout.depth = weights.depth;
  layout.columns = weights.columns;
  layout.group = std::min(weights.block, weights.depth);
  layout.scales = !weights.scales.empty();
  return layout;
}

class DecodedStep final : public Step {
 public:
  DecodedStep(const BindContext& context, const DecodedLayout& layout, std::vector<float> table,
              std::span<const std::uint8_t> packed)
      : kernel_(kernels::decoded_f32_kernel(context.isa())),
        layout_(layout),
        table_(std::move(table)),
        packed_(packed),
        rows_(num_elements(context.shape(0)) / layout.depth),
        low_(coded_low(context)),
        high_(coded_high(context)),
        bias_(static_cast<std::size_t>(layout.blocks() * 64), 0.0f),
        x_(context.in<float>(0)),
        y_(context.out<float>()),
        post_ops_(context),
        threads_(layout.bytes() * rows_ < least_parallel_bytes ? 1 : context.threads()) {
    if (context.has(coded_bias_input)) {
      std::copy_n(context.in<float>(coded_bias_input), layout.columns, bias_.begin());
    }
  }

  void run() override {
    const std::int64_t row_blocks = (rows_ + block_rows - 1) / block_rows;
    run_parallel(threads_, row_blocks * layout_.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) multiply(i % row_blocks * block_rows, i / row_blocks);
    });
    post_ops_.apply(y_, 0, rows_);
  }

  std::string kernel() const override {
    return cat(kernel_.name, " ", kernels::weight_code_bits(layout_.code), " bits");
  }

 private:
  void multiply(std::int64_t row, std::int64_t block) const {
    kernel_.run({layout_.code, table_.data(), x_ + row * layout_.depth, layout_.depth,
                 std::min(block_rows, rows_ - row), layout_.depth, layout_.group,
                 packed_.data() + layout_.block_offset(block), layout_.panels(block), layout_.scales,
                 bias_.data() + block * 64, low_, high_, y_ + row * layout_.columns + block * 64, layout_.columns,
                 std::min<std::int64_t>(64, layout_.columns - block * 64)});
  }

  DecodedF32Kernel kernel_;
  DecodedLayout layout_;
  std::vector<float> table_;
  std::span<const std::uint8_t> packed_;
  std::int64_t rows_;
  float low_, high_;
  std::vector<float> bias_;
  const float* x_;
  float* y_;
  PostOps post_ops_;
  int threads_;
};

}  // namespace

std::unique_ptr<Step> bind_coded_decoded(const BindContext& context) {
  if (!is_coded_product(context)) return nullptr;
  const CodedWeights weights = coded_weights_of(context);
  if (!weights.is_half() && weights.table.empty()) return nullptr;
  const std::int64_t rows = num_elements(context.shape(0)) / weights.depth;
  if (weights.is_half() && rows > few_rows) return nullptr;
  std::vector<float> table;
  const DecodedLayout layout = layout_of(weights, code_of(weights, table));
  const auto packed = context.weights().packed_as<std::uint8_t>(
      context.origin(),
      cat("decoded ", kernels::weight_code_bits(layout.code), lies_by_input(layout.code) ? " by input" : ""),
      layout.bytes(), [&](std::span<std::uint8_t> to) {
        const std::uint32_t mask = (1U << kernels::weight_code_bits(layout.code)) - 1;
        kernels::pack_decoded(
            layout,
            {[&](std::int64_t k, std::int64_t j) { return static_cast<std::uint32_t>(weights.code(k, j)) & mask; },
             [&](std::int64_t group, std::int64_t j) { return weights.scale(group, j); }},
            to.data());
      });
  return std::make_unique<DecodedStep>(context, layout, std::move(table), packed);
}

}  // namespace adze::engine
