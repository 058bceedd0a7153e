#include <algorithm>
#include <numeric>

#include "adze/base/checked.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference {

namespace detail {

namespace {

/// take_places over elements as stored. offsets are the maps in elements of the source.
template <typename T>
void take_elements(std::span<const T> source, std::span<T> out, const std::vector<AxisMap>& offsets, const T& fill) {
  if (out.empty()) return;
  const std::size_t rank = offsets.size();
  std::vector<std::size_t> index(rank, 0);
  // at[axis]: the offset that the indices before axis add up to, or fill_place
  std::vector<std::int64_t> at(rank + 1, 0);
  const auto extend = [&](std::size_t first) {
    for (std::size_t axis = first; axis < rank; ++axis) {
      const std::int64_t step = offsets[axis][index[axis]];
      at[axis + 1] = at[axis] == fill_place || step == fill_place ? fill_place : at[axis] + step;
    }
  };
  extend(0);
  for (T& element : out) {
    element = at[rank] == fill_place ? fill : source[static_cast<std::size_t>(at[rank])];
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < offsets[axis].size()) {
        extend(axis);
        break;
      }
      index[axis] = 0;
    }
  }
}

}  // namespace

AxisMap make_axis_map(std::int64_t length) {
  if (length > max_tensor_bytes() / static_cast<std::int64_t>(sizeof(std::int64_t))) {
    throw LimitError(cat("a dimension of ", length, " is more than the limit on tensors allows"));
  }
  return AxisMap(static_cast<std::size_t>(length));
}

AxisMap identity_map(std::int64_t length) {
  AxisMap map = make_axis_map(length);
  std::iota(map.begin(), map.end(), std::int64_t{0});
  return map;
}

Tensor take_places(const Tensor& source, const std::vector<AxisMap>& maps, const Tensor* fill) {
  const Tensor from = unpacked(source);
  Shape shape;
  for (const AxisMap& map : maps) shape.push_back(static_cast<std::int64_t>(map.size()));
  Tensor out(from.dtype(), shape);
  std::vector<AxisMap> offsets = maps;
  const Shape strides = row_major_strides(from.shape());
  for (std::size_t axis = 0; axis < offsets.size(); ++axis) {
    for (std::int64_t& place : offsets[axis]) {
      if (place != fill_place) place *= strides[axis];
    }
  }
  visit_storage(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor filler = fill != nullptr ? unpacked(*fill) : Tensor(from.dtype(), {});
    take_elements<T>(stored<T>(from), mutable_stored<T>(out), offsets, stored<T>(filler)[0]);
  });
  return repacked(out, source.dtype());
}

Tensor take_strided(const Tensor& source, const Shape& shape, const Shape& strides, std::int64_t start) {
  const Tensor from = unpacked(source);
  Tensor out(from.dtype(), shape);
  visit_storage(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto elements = stored<T>(from);
    StridedWalk<1> walk(shape, {strides}, {start});
    for (T& element : mutable_stored<T>(out)) {
      element = elements[static_cast<std::size_t>(walk.offset())];
      walk.next();
    }
  });
  return repacked(out, source.dtype());
}

Tensor transposed(const Tensor& tensor, const std::vector<std::int64_t>& perm) {
  const Shape strides = row_major_strides(tensor.shape());
  Shape shape, steps;
  for (const std::int64_t axis : perm) {
    shape.push_back(tensor.dim(axis));
    steps.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  return take_strided(tensor, shape, steps);
}

Tensor concatenated(const std::vector<Tensor>& parts, std::int64_t axis) {
  Shape shape = parts.at(0).shape();
  std::int64_t total = 0;
  for (const Tensor& part : parts) {
    Shape rest = part.shape();
    if (part.rank() == parts[0].rank()) rest[static_cast<std::size_t>(axis)] = shape[static_cast<std::size_t>(axis)];
    if (rest != shape || part.dtype() != parts[0].dtype()) {
      throw ModelError(cat("cannot concatenate ", type_text(parts[0]), " and ", type_text(part), " along axis ", axis));
    }
    total = checked_add(total, part.dim(axis), "concatenated dimension");
  }
  shape[static_cast<std::size_t>(axis)] = total;
  const DType dtype = parts[0].dtype();
  Tensor out(unpacked(Tensor(dtype, {0})).dtype(), shape);
  visit_storage(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto to = mutable_stored<T>(out);
    const AxisSplit split = split_at(shape, axis);
    std::int64_t before = 0;
    for (const Tensor& part : parts) {
      const Tensor from = unpacked(part);
      const auto elements = stored<T>(from);
      const std::int64_t run = part.dim(axis) * split.inner;
      for (std::int64_t i = 0; !from.empty() && i < split.outer; ++i) {
        std::copy_n(elements.begin() + i * run, run, to.begin() + (i * split.size + before) * split.inner);
      }
      before += part.dim(axis);
    }
  });
  return repacked(out, dtype);
}

std::int64_t checked_index(std::int64_t index, std::int64_t size) {
  if (index < -size || index >= size) throw ModelError(cat("index ", index, " is out of range for size ", size));
  return index < 0 ? index + size : index;
}

std::vector<std::int64_t> checked_axes(std::vector<std::int64_t> axes, std::int64_t rank) {
  std::vector<bool> seen(static_cast<std::size_t>(rank), false);
  for (std::int64_t& axis : axes) {
    axis = normalize_axis(axis, rank);
    if (seen[static_cast<std::size_t>(axis)]) throw ModelError(cat("axis ", axis, " is named twice"));
    seen[static_cast<std::size_t>(axis)] = true;
  }
  return axes;
}

std::vector<std::int64_t> int_list(const Tensor& tensor) {
  if (!is_integer(tensor.dtype()) || tensor.rank() > 1) {
    throw ModelError(cat("expected a list of integers, found ", type_text(tensor)));
  }
  return to_ints(tensor);
}

}  // namespace detail

std::span<const KernelEntry> movement_kernels() {
  static const auto table = [] {
    std::vector<KernelEntry> all;
    for (const auto part :
         {detail::shape_kernels(), detail::copy_kernels(), detail::slice_kernels(), detail::fill_kernels(),
          detail::gather_kernels(), detail::scatter_kernels(), detail::unique_kernels()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

}  // namespace adze::reference
