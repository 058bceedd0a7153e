#pragma once

#include <span>
#include <vector>

#include "adze/engine/reference/detail/storage.h"
#include "adze/engine/reference/detail/strided.h"
#include "adze/engine/reference/reference.h"

namespace adze::reference::detail {

/// For each place along an axis of the output, the place along the input's axis, or fill_place.
using AxisMap = std::vector<std::int64_t>;
inline constexpr std::int64_t fill_place = -1;

/// A map of that length, zeroed. Throws LimitError when it would be larger than a tensor may be.
AxisMap make_axis_map(std::int64_t length);
/// 0, 1 … length - 1
AxisMap identity_map(std::int64_t length);

/// out[i, j …] = source[maps[0][i], maps[1][j] …], or fill (a scalar; null = zero or "") where a map says so.
/// The places must be in range: the caller has checked them. Any dtype.
Tensor take_places(const Tensor& source, const std::vector<AxisMap>& maps, const Tensor* fill = nullptr);

/// out[i, j …] = source element at start + i * strides[0] + j * strides[1] … Any dtype.
Tensor take_strided(const Tensor& source, const Shape& shape, const Shape& strides, std::int64_t start = 0);

/// The input with its dimensions in the order of perm, which must be a permutation.
Tensor transposed(const Tensor& tensor, const std::vector<std::int64_t>& perm);

/// The parts one after the other along an axis in [0, rank); dtypes and other dimensions must agree.
Tensor concatenated(const std::vector<Tensor>& parts, std::int64_t axis);

/// index in [0, size), counting negative ones from the end. Throws ModelError when out of range.
std::int64_t checked_index(std::int64_t index, std::int64_t size);

/// Axes made non-negative; ModelError when one is out of range or named twice.
std::vector<std::int64_t> checked_axes(std::vector<std::int64_t> axes, std::int64_t rank);

/// The integers of an input of rank 0 or 1.
std::vector<std::int64_t> int_list(const Tensor& tensor);

// Parts of the movement table, by topic.
std::span<const KernelEntry> shape_kernels();
std::span<const KernelEntry> copy_kernels();
std::span<const KernelEntry> slice_kernels();
std::span<const KernelEntry> fill_kernels();
std::span<const KernelEntry> gather_kernels();
std::span<const KernelEntry> scatter_kernels();
std::span<const KernelEntry> unique_kernels();

}  // namespace adze::reference::detail
