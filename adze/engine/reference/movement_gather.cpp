// Operators that pick elements by indices that come as data.
#include "adze/base/checked.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

/// Index tensors hold s32 or s64.
std::vector<std::int64_t> index_list(const Tensor& indices) {
  if (!is_integer(indices.dtype())) throw ModelError(cat("indices are ", type_text(indices), ", expected integers"));
  return to_ints(indices);
}

void run_gather(Context& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), data.rank());
  std::vector<AxisMap> maps;
  for (const std::int64_t dim : data.shape()) maps.push_back(identity_map(dim));
  AxisMap& places = maps[static_cast<std::size_t>(axis)];
  places = index_list(indices);
  for (std::int64_t& place : places) place = checked_index(place, data.dim(axis));
  Shape shape = data.shape();
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, indices.shape().begin(), indices.shape().end());
  context.set(0, take_places(data, maps).reshaped(shape));
}

void run_gather_elements(Context& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), data.rank());
  if (indices.rank() != data.rank()) {
    throw ModelError(cat("indices have rank ", indices.rank(), ", data have rank ", data.rank()));
  }
  for (std::int64_t i = 0; i < data.rank(); ++i) {
    if (i != axis && indices.dim(i) > data.dim(i)) {
      throw ModelError(cat("indices ", shape_text(indices.shape()), " reach beyond data ", shape_text(data.shape())));
    }
  }
  const std::vector<std::int64_t> places = index_list(indices);
  const Tensor from = unpacked(data);
  Tensor out(from.dtype(), indices.shape());
  Shape strides = row_major_strides(data.shape());
  const std::int64_t step = strides[static_cast<std::size_t>(axis)];
  strides[static_cast<std::size_t>(axis)] = 0;
  visit_storage(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto source = stored<T>(from);
    const auto elements = mutable_stored<T>(out);
    StridedWalk<1> walk(indices.shape(), {strides});
    for (std::size_t i = 0; i < elements.size(); ++i) {
      elements[i] = source[static_cast<std::size_t>(walk.offset() + checked_index(places[i], data.dim(axis)) * step)];
      walk.next();
    }
  });
  context.set(0, repacked(out, data.dtype()));
}

/// indices [batch…, …, k]: each row of k indices picks data[batch…][row].
void run_gather_nd(Context& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const std::int64_t batch_dims = context.node().get_int("batch_dims");
  if (data.rank() < 1 || indices.rank() < 1 || batch_dims < 0 || batch_dims >= std::min(data.rank(), indices.rank())) {
    throw ModelError(cat("data ", shape_text(data.shape()), " and indices ", shape_text(indices.shape()),
                         " do not fit batch_dims ", batch_dims));
  }
  const std::int64_t depth = indices.dim(indices.rank() - 1);
  if (depth < 1 || depth > data.rank() - batch_dims) {
    throw ModelError(cat("rows of ", depth, " indices do not fit data ", shape_text(data.shape())));
  }
  Shape rows(indices.shape().begin(), indices.shape().end() - 1);
  const Shape batch(rows.begin(), rows.begin() + batch_dims);
  if (!std::equal(batch.begin(), batch.end(), data.shape().begin())) {
    throw ModelError(cat("the first ", batch_dims, " dimensions of data ", shape_text(data.shape()), " and indices ",
                         shape_text(indices.shape()), " differ"));
  }
  const Shape piece(data.shape().begin() + batch_dims + depth, data.shape().end());
  Shape shape = rows;
  shape.insert(shape.end(), piece.begin(), piece.end());
  const std::vector<std::int64_t> places = index_list(indices);
  const Tensor from = unpacked(data);
  Tensor out(from.dtype(), shape);
  if (out.empty()) return context.set(0, Tensor(data.dtype(), shape));
  const std::int64_t run = num_elements(piece), count = num_elements(rows);
  const std::int64_t per_batch = count / num_elements(batch), batch_size = data.size() / num_elements(batch);
  const Shape strides = row_major_strides(data.shape());
  visit_storage(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto source = stored<T>(from);
    const auto elements = mutable_stored<T>(out);
    for (std::int64_t row = 0; row < count; ++row) {
      std::int64_t offset = row / per_batch * batch_size;
      for (std::int64_t k = 0; k < depth; ++k) {
        const auto axis = static_cast<std::size_t>(batch_dims + k);
        offset += checked_index(places[static_cast<std::size_t>(row * depth + k)], data.shape()[axis]) * strides[axis];
      }
      std::copy_n(source.begin() + offset, run, elements.begin() + row * run);
    }
  });
  context.set(0, repacked(out, data.dtype()));
}

/// Keeps the slices, or flat elements, whose condition is true. A short condition stands for false.
void run_compress(Context& context) {
  const Tensor& input = context.input(0);
  const Tensor& condition = context.input(1);
  if (condition.dtype() != DType::Bool || condition.rank() != 1) {
    throw ModelError(cat("the condition is ", type_text(condition), ", expected a list of bools"));
  }
  const bool flat = !context.node().has("axis");
  const Tensor data = flat ? input.reshaped({input.size()}) : input;
  const std::int64_t axis = flat ? 0 : normalize_axis(context.node().get_int("axis"), data.rank());
  std::vector<AxisMap> maps;
  for (const std::int64_t dim : data.shape()) maps.push_back(identity_map(dim));
  AxisMap& places = maps[static_cast<std::size_t>(axis)];
  places.clear();
  const auto keep = condition.data<bool>();
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i]) places.push_back(checked_index(static_cast<std::int64_t>(i), data.dim(axis)));
  }
  context.set(0, take_places(data, maps));
}

constexpr KernelEntry table[] = {
    {OpKind::Compress, run_compress},
    {OpKind::Gather, run_gather},
    {OpKind::GatherElements, run_gather_elements},
    {OpKind::GatherND, run_gather_nd},
};

}  // namespace

std::span<const KernelEntry> gather_kernels() {
  return table;
}

}  // namespace adze::reference::detail
