#include "adze/engine/steps/product_s8.h"

#include <algorithm>
#include <utility>

#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/pack_s8/pack_s8.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

/// Rows that pass over the packed matrix together.
constexpr std::int64_t block_rows = 96;
/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 20;
constexpr std::int64_t line = 64;

std::int64_t whole_lines(std::int64_t bytes) {
  return (bytes + line - 1) / line * line;
}

/// The numbers of a run, from the zero points: what sums need so that they are those of centred numbers.
struct Terms {
  std::int32_t column_factor, start, row_factor;

  explicit Terms(const ProductS8Problem& problem) {
    const std::int64_t left = problem.left.zero_point_as(false), right = problem.right.zero_point_as(true);
    column_factor = static_cast<std::int32_t>(-left);
    row_factor = static_cast<std::int32_t>(-right);
    start = static_cast<std::int32_t>(static_cast<std::uint32_t>(problem.depth * left * right));
  }
};

class ProductS8Step final : public Step {
 public:
  ProductS8Step(const BindContext& context, ProductS8Problem problem, const StageArrays& stage)
      : problem_(std::move(problem)),
        kernel_(kernels::gemm_s8_kernel(context.isa())),
        pack_(kernels::pack_s8_kernel(context.isa())),
        stage_(stage),
        blocks_((problem_.rows + block_rows - 1) / block_rows),
        column_blocks_((problem_.columns + 15) / 16),
        copies_(problem_.left.is_signed || problem_.left.constant) {
    const ProductS8Problem& p = problem_;
    for (std::int64_t at = 0; at < p.depth; at += 4) quad_offsets_.push_back(static_cast<std::int32_t>(at));
    row_bytes_ = whole_lines(p.depth);
    packed_bytes_ = column_blocks_ * quads() * line;
    right_bytes_ = packed_bytes_ + (column_blocks_ + 1) * line;  // kernels read whole vectors from any first column
    left_bytes_ = whole_lines(block_rows * 4) + (copies_ ? block_rows * row_bytes_ : 0);
    threads_ = items() * p.rows * p.columns * p.depth < least_parallel_macs ? 1 : context.threads();
    by_item_ = threads_ == 1 || items() >= 2 * threads_;
    if (kernel_.copies_rows) tiles_ = kernels::gemm_s8_scratch(std::min(block_rows, p.rows), p.columns, quads());
    if (!by_item_) shared_ = std::make_unique<LineArray<std::byte>>(static_cast<std::size_t>(right_bytes_));
  }

  void run() override {
    const Terms terms(problem_);
    if (by_item_) {
      run_parallel(threads_, items(), 1, [&](std::int64_t begin, std::int64_t end) { run_items(terms, begin, end); });
      return;
    }
    for (std::int64_t item = 0; item < items(); ++item) run_together(terms, item);
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  std::int64_t items() const { return static_cast<std::int64_t>(problem_.y_offsets.size()); }
  std::int64_t quads() const { return static_cast<std::int64_t>(quad_offsets_.size()); }
  std::int64_t right_offset(std::int64_t item) const { return problem_.right.offsets[static_cast<std::size_t>(item)]; }
  std::int32_t* column_terms(std::byte* right) const { return reinterpret_cast<std::int32_t*>(right + packed_bytes_); }

  void run_items(const Terms& terms, std::int64_t begin, std::int64_t end) const {
    auto* scratch = thread_elements<std::byte>(right_bytes_ + left_bytes_);
    for (std::int64_t item = begin; item < end; ++item) {
      if (item == begin || right_offset(item) != right_offset(item - 1)) pack(terms, item, 0, column_blocks_, scratch);
      for (std::int64_t block = 0; block < blocks_; ++block) {
        run_block(terms, item, block, scratch, scratch + right_bytes_);
      }
    }
  }

  /// All threads work on one product.
  void run_together(const Terms& terms, std::int64_t item) const {
    std::byte* right = shared_->data();
    run_parallel(threads_, column_blocks_, 1,
                 [&](std::int64_t begin, std::int64_t end) { pack(terms, item, begin, end, right); });
    run_parallel(threads_, blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
      auto* left = thread_elements<std::byte>(left_bytes_);
      for (std::int64_t block = begin; block < end; ++block) run_block(terms, item, block, right, left);
    });
  }

  void pack(const Terms& terms, std::int64_t item, std::int64_t begin, std::int64_t end, std::byte* to) const {
    const ByteMatrices& right = problem_.right;
    const std::int64_t first = begin * 16, columns = std::min(problem_.columns, end * 16) - first;
    const std::uint8_t flip = right.is_signed ? 0 : 0x80;
    pack_.pack({right.data + right_offset(item) + first * right.column_step, problem_.depth, columns, right.row_step,
                right.column_step, flip, terms.column_factor, terms.start,
                reinterpret_cast<std::int8_t*>(to) + begin * quads() * line, column_terms(to) + first});
  }

  void run_block(const Terms& terms, std::int64_t item, std::int64_t block, std::byte* right,
                 std::byte* scratch) const {
    const ProductS8Problem& p = problem_;
    const std::int64_t first = block * block_rows, count = std::min(block_rows, p.rows - first);
    const std::uint8_t* x = p.left.data + p.left.offsets[static_cast<std::size_t>(item)] + first * p.left.row_step;
    std::int64_t step = p.left.row_step;
    if (copies_) {
      auto* copies = reinterpret_cast<std::uint8_t*>(scratch + whole_lines(block_rows * 4));
      copy_rows(x, count, copies);
      x = copies;
      step = row_bytes_;
    }
    const std::uint8_t* rows[block_rows];
    for (std::int64_t r = 0; r < count; ++r) rows[r] = x + r * step;
    auto* row_terms = reinterpret_cast<std::int32_t*>(scratch);
    if (terms.row_factor != 0) pack_.row_terms({x, count, p.depth, step, terms.row_factor, row_terms});
    kernels::OutputStage stage = stage_.stage();
    stage.bias = column_terms(right);
    const std::int64_t y = p.y_offsets[static_cast<std::size_t>(item)] + first * p.y_row_step;
    std::uint8_t* tiles = tiles_.bytes == 0 ? nullptr : thread_elements<std::uint8_t>(tiles_.bytes, Scratch::Kernel);
    kernels::GemmS8Call call{rows,
                             count,
                             quad_offsets_.data(),
                             quads(),
                             reinterpret_cast<const std::int8_t*>(right),
                             p.columns,
                             &stage,
                             p.y == nullptr ? nullptr : p.y + y,
                             p.y_row_step,
                             step,
                             tiles_.tiles_together,
                             tiles};
    if (terms.row_factor != 0) call.row_terms = row_terms;
    if (p.sums != nullptr) call.sums = p.sums + y;
    kernel_.run(call);
  }

  void copy_rows(const std::uint8_t* x, std::int64_t count, std::uint8_t* to) const {
    const std::uint8_t flip = problem_.left.is_signed ? 0x80 : 0;
    for (std::int64_t r = 0; r < count; ++r) {
      const std::uint8_t* from = x + r * problem_.left.row_step;
      std::uint8_t* row = to + r * row_bytes_;
      for (std::int64_t k = 0; k < problem_.depth; ++k) row[k] = from[k] ^ flip;
    }
  }

  ProductS8Problem problem_;
  kernels::GemmS8Kernel kernel_;
  kernels::PackS8Kernel pack_;
  StageArrays stage_;
  std::int64_t blocks_, column_blocks_;
  bool copies_;
  int threads_ = 1;
  bool by_item_ = true;
  std::int64_t row_bytes_, packed_bytes_, right_bytes_, left_bytes_;
  std::vector<std::int32_t> quad_offsets_;
  std::unique_ptr<LineArray<std::byte>> shared_;
  kernels::GemmS8Scratch tiles_ = {0, 0};
};

}  // namespace

std::int32_t ByteMatrices::zero_point_as(bool as_signed) const {
  std::int32_t value = zero_point;
  if (zero_point_at != nullptr) {
    const auto byte = static_cast<std::uint8_t>(*zero_point_at);
    value = is_signed ? static_cast<std::int8_t>(byte) : byte;
  }
  if (is_signed == as_signed) return value;
  return as_signed ? value - 128 : value + 128;
}

std::unique_ptr<Step> make_product_s8_step(const BindContext& context, ProductS8Problem problem,
                                           const StageArrays& stage) {
  if (problem.left.column_step != 1) return nullptr;
  return std::make_unique<ProductS8Step>(context, std::move(problem), stage);
}

}  // namespace adze::engine
