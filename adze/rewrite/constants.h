#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::rewrite {

/// All elements of a real tensor.
std::vector<double> to_doubles(const Tensor& tensor);
/// values, which must fill the shape, rounded to a float dtype.
Tensor from_doubles(DType dtype, Shape shape, std::span<const double> values);

/// The constant, broadcast against a tensor of the given rank, as one number a channel: it may vary along axis only.
/// Nothing when it varies elsewhere, or would make the result larger.
std::optional<std::vector<double>> per_channel(const Tensor& constant, std::int64_t channels, std::int64_t rank,
                                               std::int64_t axis);

/// Would broadcasting constant with a tensor of this shape give that shape again?
bool broadcasts_into(const Tensor& constant, const SymbolicShape* shape);

bool all_equal(const Tensor& tensor, double value);

/// The constant with its axes in another order: result axis i is axis perm[i].
Tensor transposed(const Tensor& tensor, std::span<const std::int64_t> perm);

/// Every value finite?
bool all_finite(std::span<const double> values);

}  // namespace adze::rewrite
