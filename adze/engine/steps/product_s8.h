#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "adze/engine/step.h"
#include "adze/engine/steps/output_stage.h"

namespace adze::engine {

/// Matrices of bytes inside one tensor: element [i, j] of matrix m is at offsets[m] + i * row_step + j * column_step.
struct ByteMatrices {
  const std::uint8_t* data = nullptr;
  std::int64_t row_step = 0, column_step = 0;
  std::vector<std::int64_t> offsets;
  /// The zero point: a number, or where it will be when the step runs.
  std::int32_t zero_point = 0;
  const std::byte* zero_point_at = nullptr;
  bool is_signed = false;
  bool constant = false;  ///< no bytes may be read beyond its end

  /// Of the numbers after s8 has become u8, or u8 has become s8.
  std::int32_t zero_point_as(bool as_signed) const;
};

/// Products of two matrices of bytes neither of which was known before: the right one is packed while running.
struct ProductS8Problem {
  std::int64_t rows, depth, columns;
  ByteMatrices left, right;
  std::int64_t y_row_step;
  std::vector<std::int64_t> y_offsets;  ///< one for each product
  std::uint8_t* y = nullptr;
  std::int32_t* sums = nullptr;  ///< instead of y: the sums as they are
};

/// stage: of `columns` columns, without bias; not read for sums. Null where left's rows do not lie side by side.
std::unique_ptr<Step> make_product_s8_step(const BindContext& context, ProductS8Problem problem,
                                           const StageArrays& stage);

/// The step of a QMatMul.
std::unique_ptr<Step> bind_quantized_matmul(const BindContext& context);

}  // namespace adze::engine
