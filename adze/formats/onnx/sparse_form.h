#pragma once

#include <cstdint>
#include <optional>

#include "adze/numerics/tensor.h"

namespace adze::onnx {

/// A tensor as a sparse initializer, which stores the place (8 bytes) and the value of each element that is not 0.
struct SparseForm {
  std::int64_t elements = 0, zeros = 0;
  std::int64_t dense_bytes = 0, sparse_bytes = 0;
  bool can = false;  ///< not of scalars, text and elements of less than 8 bits
  /// Is it written so when asked for?
  bool smaller() const { return can && sparse_bytes < dense_bytes; }
};
SparseForm sparse_form(const Tensor& tensor);

/// The share of zeros from which large tensors of this type get smaller; none where they never do.
std::optional<double> sparse_from_share(DType dtype);

}  // namespace adze::onnx
