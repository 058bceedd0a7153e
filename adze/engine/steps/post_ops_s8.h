#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "adze/engine/kernels/table_u8/table_u8.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/binary_s8.h"

namespace adze::engine {

/// What engine/arrange puts on an integer convolution for the node that alone reads it: a table of 256, or a sum with
/// another value of the output's shape (the node's input post_sum_input).
inline constexpr const char* post_table = "post_table";
inline constexpr std::size_t post_sum_input = 3;
/// stored: the dtype of the convolution's own result.
void set_post_table(Node& node, DType stored, const Tensor& table);
/// side: which operand of the sum the convolution's result is.
void set_post_sum(Node& node, const Node& sum, std::size_t side, DType stored, ValueId other);

/// Applies them to finished pixels while they are in the cache; the bytes are those of the separate nodes.
class PostOpsS8 {
 public:
  explicit PostOpsS8(const BindContext& context);

  bool empty() const { return table_ == nullptr && sum_ == nullptr; }
  /// y: [pixels][channels] of the output, its pixels counted from the first picture's first.
  void apply(std::uint8_t* y, std::int64_t first_pixel, std::int64_t pixels) const;

 private:
  std::int64_t channels_;
  std::shared_ptr<const std::array<std::uint8_t, 256>> table_;
  kernels::TableU8 look_up_ = nullptr;
  std::shared_ptr<const BoundBinaryS8> sum_;
};

}  // namespace adze::engine
