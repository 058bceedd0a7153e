// Operators that write updates into a copy of the data, at indices that come as data.
#include <functional>

#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

/// One step of a reduction. NaN wins in max and min.
template <typename C>
C reduce(const std::string& reduction, C old, C update) {
  if (reduction == "max") return old > update || old != old ? old : update;
  if (reduction == "min") return old < update || old != old ? old : update;
  if constexpr (std::is_floating_point_v<C>) {
    return reduction == "add" ? old + update : old * update;
  } else {
    const auto a = static_cast<std::uint64_t>(old), b = static_cast<std::uint64_t>(update);
    return static_cast<C>(reduction == "add" ? a + b : a * b);  // wraps
  }
}

/// Calls write(target, source) for each update, in order, after which the last writer has won.
using EachUpdate = std::function<void(const std::function<void(std::int64_t target, std::int64_t source)>& write)>;

Tensor scattered(const Tensor& data, const Tensor& updates, const std::string& reduction, const EachUpdate& each) {
  if (data.dtype() != updates.dtype()) {
    throw ModelError(cat("data are ", dtype_name(data.dtype()), ", updates are ", dtype_name(updates.dtype())));
  }
  if (reduction == "none") {
    Tensor out = unpacked(data);
    const Tensor from = unpacked(updates);
    visit_storage(out.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const auto source = stored<T>(from);
      const auto elements = mutable_stored<T>(out);
      each([&](std::int64_t target, std::int64_t index) {
        elements[static_cast<std::size_t>(target)] = source[static_cast<std::size_t>(index)];
      });
    });
    return repacked(out, data.dtype());
  }
  if (reduction != "add" && reduction != "mul" && reduction != "max" && reduction != "min") {
    throw ModelError(cat("attribute reduction is ", quoted(reduction), ", expected none, add, mul, max or min"));
  }
  return visit_compute(data.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    std::vector<C> elements = load<C>(data);
    const std::vector<C> source = load<C>(updates);
    each([&](std::int64_t target, std::int64_t index) {
      C& element = elements[static_cast<std::size_t>(target)];
      element = reduce(reduction, element, source[static_cast<std::size_t>(index)]);
    });
    return store<C>(data.dtype(), data.shape(), elements);
  });
}

void run_scatter_elements(Context& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const Tensor& updates = context.input(2);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), data.rank());
  if (indices.shape() != updates.shape() || indices.rank() != data.rank() || !is_integer(indices.dtype())) {
    throw ModelError(cat("data ", type_text(data), ", indices ", type_text(indices), " and updates ",
                         type_text(updates), " do not fit"));
  }
  for (std::int64_t i = 0; i < data.rank(); ++i) {
    if (i != axis && indices.dim(i) > data.dim(i)) {
      throw ModelError(cat("indices ", shape_text(indices.shape()), " reach beyond data ", shape_text(data.shape())));
    }
  }
  const std::vector<std::int64_t> places = to_ints(indices);
  Shape strides = row_major_strides(data.shape());
  const std::int64_t step = strides[static_cast<std::size_t>(axis)];
  strides[static_cast<std::size_t>(axis)] = 0;
  const auto each = [&](const std::function<void(std::int64_t, std::int64_t)>& write) {
    StridedWalk<1> walk(indices.shape(), {strides});
    for (std::size_t i = 0; i < places.size(); ++i) {
      write(walk.offset() + checked_index(places[i], data.dim(axis)) * step, static_cast<std::int64_t>(i));
      walk.next();
    }
  };
  context.set(
      0, scattered(data, updates,
                   context.node().kind == OpKind::Scatter ? "none" : context.node().get_string("reduction"), each));
}

/// indices […, k]: each row of k indices names a piece of data that one piece of updates goes to.
void run_scatter_nd(Context& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const Tensor& updates = context.input(2);
  const std::int64_t depth = indices.rank() > 0 ? indices.dim(indices.rank() - 1) : 0;
  if (indices.rank() < 1 || depth > data.rank() || !is_integer(indices.dtype())) {
    throw ModelError(cat("indices ", type_text(indices), " do not fit data ", type_text(data)));
  }
  Shape wanted(indices.shape().begin(), indices.shape().end() - 1);
  const std::int64_t rows = num_elements(wanted);
  const Shape piece(data.shape().begin() + depth, data.shape().end());
  wanted.insert(wanted.end(), piece.begin(), piece.end());
  if (updates.shape() != wanted) {
    throw ModelError(cat("updates are ", shape_text(updates.shape()), ", expected ", shape_text(wanted)));
  }
  const std::int64_t run = num_elements(piece);
  const std::vector<std::int64_t> places = to_ints(indices);
  const Shape strides = row_major_strides(data.shape());
  const auto each = [&](const std::function<void(std::int64_t, std::int64_t)>& write) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::int64_t offset = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        const auto axis = static_cast<std::size_t>(k);
        offset += checked_index(places[static_cast<std::size_t>(row * depth + k)], data.shape()[axis]) * strides[axis];
      }
      for (std::int64_t i = 0; i < run; ++i) write(offset + i, row * run + i);
    }
  };
  context.set(0, scattered(data, updates, context.node().get_string("reduction"), each));
}

constexpr KernelEntry table[] = {
    {OpKind::Scatter, run_scatter_elements},
    {OpKind::ScatterElements, run_scatter_elements},
    {OpKind::ScatterND, run_scatter_nd},
};

}  // namespace

std::span<const KernelEntry> scatter_kernels() {
  return table;
}

}  // namespace adze::reference::detail
