#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adze/engine/kernels/dense_f32/dense_f32.h"

namespace adze::engine {

/// Weights that are not 0, as the spmm kernels read them: columns (output channels) in blocks of `block` neighbours.
struct SparseWeights {
  std::int64_t block = 1;
  std::int64_t blocks = 0;
  std::vector<std::int32_t> starts;   ///< blocks + 1
  std::vector<std::int32_t> indices;  ///< tap * inputs + input, ascending in each block
  std::vector<float> values;          ///< block of them for each index
  std::int64_t bytes() const { return static_cast<std::int64_t>(4 * (starts.size() + indices.size() + values.size())); }
};

/// How many multiplications remain.
struct SparseCounts {
  std::int64_t single = 0;  ///< weights that are not 0
  std::int64_t blocks = 0;  ///< blocks of 8 columns with one of them
};

/// Nothing when a look at a part of the weights says that they are dense.
std::optional<SparseCounts> count_sparse(const kernels::DenseF32Source& source);

SparseWeights pack_sparse(const kernels::DenseF32Source& source, std::int64_t block);

}  // namespace adze::engine
