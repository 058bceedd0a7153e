// Operators whose output is made from sizes, positions or a few values.
#include <algorithm>
#include <cmath>

#include "adze/base/checked.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

void run_constant_of_shape(Context& context) {
  const Shape shape = int_list(context.input(0));
  const Attribute* attribute = context.node().find("value");
  const Tensor* value = attribute != nullptr ? std::get_if<Tensor>(attribute) : nullptr;
  const Tensor filler = value != nullptr ? *value : Tensor(DType::F32, {1});
  if (filler.size() != 1) throw ModelError(cat("attribute value has ", filler.size(), " elements, expected 1"));
  context.set(0, take_strided(filler, shape, Shape(shape.size(), 0)));
}

void run_eye_like(Context& context) {
  const Tensor& input = context.input(0);
  if (input.rank() != 2) throw ModelError(cat("expected an input of rank 2, found ", shape_text(input.shape())));
  const std::int64_t k = context.node().get_int("k");
  Tensor out(static_cast<DType>(context.node().get_int("dtype", static_cast<std::int64_t>(input.dtype()))),
             input.shape());
  const std::int64_t rows = input.dim(0), columns = input.dim(1);
  if (k >= columns || k <= -rows) return context.set(0, out);
  for (std::int64_t i = std::max<std::int64_t>(0, -k); i < rows && i + k < columns; ++i)
    out.set_int(i * columns + i + k, 1);
  context.set(0, out);
}

/// Indices outside -depth … depth - 1 give a row of off values.
void run_one_hot(Context& context) {
  const Tensor& indices = context.input(0);
  const Tensor& depth_input = context.input(1);
  const Tensor& values = context.input(2);
  if (depth_input.size() != 1) throw ModelError("depth must be a single number");
  if (values.size() != 2) throw ModelError(cat("values are ", type_text(values), ", expected [off, on]"));
  const auto depth = static_cast<std::int64_t>(converted(depth_input, DType::S64).get_int(0));
  if (depth < 0) throw ModelError(cat("depth is ", depth));
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), indices.rank() + 1);
  Shape shape = indices.shape();
  shape.insert(shape.begin() + axis, depth);
  const Tensor pair = unpacked(values);
  Tensor out(pair.dtype(), shape);
  const std::vector<std::int64_t> hot = to_ints(converted(indices, DType::S64));
  visit_storage(pair.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto choices = stored<T>(pair);
    const auto elements = mutable_stored<T>(out);
    std::fill(elements.begin(), elements.end(), choices[0]);
    const AxisSplit split = split_at(shape, axis);
    for (std::size_t i = 0; i < hot.size(); ++i) {
      if (hot[i] < -depth || hot[i] >= depth) continue;
      const std::int64_t place = hot[i] < 0 ? hot[i] + depth : hot[i];
      const auto flat = static_cast<std::int64_t>(i);
      const std::int64_t outer = flat / split.inner, inner = flat % split.inner;
      elements[static_cast<std::size_t>((outer * depth + place) * split.inner + inner)] = choices[1];
    }
  });
  context.set(0, repacked(out, values.dtype()));
}

/// max(0, ceil((limit - start) / delta)) numbers from start in steps of delta.
void run_range(Context& context) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (context.input(i).size() != 1 || context.input(i).dtype() != context.input(0).dtype()) {
      throw ModelError(cat("input ", i, " is ", type_text(context.input(i)), ", expected three scalars of one type"));
    }
  }
  const DType dtype = context.input(0).dtype();
  if (!is_float(dtype)) {
    const std::int64_t start = load<std::int64_t>(context.input(0))[0], limit = load<std::int64_t>(context.input(1))[0];
    const std::int64_t delta = load<std::int64_t>(context.input(2))[0];
    if (delta == 0) throw ModelError("the step is 0");
    const std::int64_t distance = checked_sub(limit, start, "range");
    const bool any = (distance > 0) == (delta > 0) && distance != 0;
    const std::int64_t count = any ? distance / delta + (distance % delta != 0 ? 1 : 0) : 0;
    Tensor out(dtype, {count});  // before the list: throws when too large
    std::vector<std::int64_t> elements(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) elements[static_cast<std::size_t>(i)] = start + i * delta;
    return context.set(0, store(dtype, {count}, elements));
  }
  const double start = context.input(0).get_double(0), limit = context.input(1).get_double(0);
  const double delta = context.input(2).get_double(0);
  const double count = std::max(0.0, std::ceil((limit - start) / delta));
  if (!(count < 0x1p62))
    throw ModelError(cat("the range from ", start, " to ", limit, " in steps of ", delta, " has no end"));
  Tensor out(dtype, {static_cast<std::int64_t>(count)});
  std::vector<double> elements(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = start + static_cast<double>(i) * delta;
  context.set(0, store(dtype, out.shape(), elements));
}

/// Keeps one triangle of each matrix, the other becomes zero.
void run_trilu(Context& context) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2) throw ModelError(cat("expected rank 2 or more, found ", shape_text(input.shape())));
  std::int64_t k = 0;
  if (const Tensor* given = context.optional_input(1)) {
    if (given->size() != 1 || !is_integer(given->dtype()))
      throw ModelError(cat("k is ", type_text(*given), ", expected one integer"));
    k = given->get_int(0);
  }
  const bool upper = context.node().get_int("upper") != 0;
  const std::int64_t rows = input.dim(input.rank() - 2), columns = input.dim(input.rank() - 1);
  k = std::clamp(k, -rows - 1, columns + 1);
  Tensor out = unpacked(input);
  visit_storage(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::int64_t flat = 0;
    for (T& element : mutable_stored<T>(out)) {
      const std::int64_t column = flat % columns, row = flat / columns % rows;
      if (upper ? column < row + k : column > row + k) element = T{};
      ++flat;
    }
  });
  context.set(0, repacked(out, input.dtype()));
}

/// The indices of non-zero elements, one column each, in row-major order: [rank, count].
void run_non_zero(Context& context) {
  const Tensor& input = context.input(0);
  std::vector<std::int64_t> found;
  const auto collect = [&](const auto& elements) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (!(elements[i] == std::decay_t<decltype(elements[i])>{})) found.push_back(static_cast<std::int64_t>(i));
    }
  };
  if (input.dtype() == DType::String) {
    collect(input.data<std::string>());
  } else {
    visit_compute(input.dtype(), [&](auto tag) { collect(load<typename decltype(tag)::type>(input)); });
  }
  const auto count = static_cast<std::int64_t>(found.size());
  Tensor out(DType::S64, {input.rank(), count});
  const auto elements = out.mutable_data<std::int64_t>();
  const Shape strides = row_major_strides(input.shape());
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      elements[axis * found.size() + i] = found[i] / strides[axis] % input.shape()[axis];
    }
  }
  context.set(0, out);
}

constexpr KernelEntry table[] = {
    {OpKind::ConstantOfShape, run_constant_of_shape},
    {OpKind::EyeLike, run_eye_like},
    {OpKind::NonZero, run_non_zero},
    {OpKind::OneHot, run_one_hot},
    {OpKind::Range, run_range},
    {OpKind::Trilu, run_trilu},
};

}  // namespace

std::span<const KernelEntry> fill_kernels() {
  return table;
}

}  // namespace adze::reference::detail
