#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "adze/engine/kernels/dense_f32/dense_f32.h"

namespace adze::engine {

/// Weights that are not 0, as the spmm kernels read them: columns (output channels) in blocks of `block` neighbours.
struct SparseWeights {
  std::int64_t block = 1;
  std::int64_t blocks = 0;
  std::int64_t slices = 1;                ///< of the inputs, so that those of a slice stay in the nearest cache
  std::span<const std::int32_t> starts;   ///< slices * blocks + 1
  std::span<const std::int32_t> indices;  ///< tap * inputs + input, ascending in each slice and block
  std::span<const float> values;          ///< block of them for each index
};

/// How many multiplications remain.
struct SparseCounts {
  std::int64_t single = 0;  ///< weights that are not 0
  std::int64_t blocks = 0;  ///< blocks of 8 columns with one of them
};

/// Nothing when a look at a part of the weights says that they are dense.
std::optional<SparseCounts> count_sparse(const kernels::DenseF32Source& source);

/// How weights are packed.
struct SparseForm {
  std::int64_t block = 1, slices = 1;
};

/// Starts, indices and the bits of the values one after the other: as many numbers as sparse_numbers() says.
std::int64_t sparse_numbers(const kernels::DenseF32Source& source, const SparseCounts& counts, SparseForm form);
void pack_sparse(const kernels::DenseF32Source& source, SparseForm form, std::span<std::int32_t> packed);
/// The parts of what was packed.
SparseWeights sparse_weights_in(std::span<const std::int32_t> packed, std::int64_t columns, SparseForm form);

}  // namespace adze::engine
