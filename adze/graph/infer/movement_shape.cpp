// Operators that keep all elements and change, or tell, the shape.
#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer/movement.h"

namespace adze::movement {

void infer_identity(InferContext& context) {
  context.set_output(0, context.type(0));
  if (const auto dims = list_dims(context, 0)) context.set_dims(0, *dims);
}

SymbolicShape reshape_dims(const std::optional<SymbolicShape>& input, const SymbolicShape& target, bool allow_zero) {
  SymbolicShape shape = target;
  SymbolicShape known;
  std::optional<std::size_t> open;
  std::size_t num_open = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == Dim(0) && !allow_zero) {
      if (input && i >= input->size()) {
        throw ModelError(
            cat("shape ", shape_text(target), " copies a dimension that ", shape_text(*input), " does not have"));
      }
      shape[i] = input ? (*input)[i] : Dim();
    }
    if (says_something(shape[i])) {
      known.push_back(shape[i]);
    } else {
      shape[i] = Dim();
      open = i;
      ++num_open;
    }
  }
  if (!input) return shape;
  // Whatever the product of both shapes has in common cancels.
  const Dim all = multiply_all(*input), rest = multiply_all(known);
  const bool both_known = all.is_known() && rest.is_known();
  if (num_open == 1 && both_known && rest.value > 0 && all.value % rest.value != 0) {
    throw ModelError(cat("cannot reshape ", shape_text(*input), " to ", shape_text(target)));
  }
  if (num_open == 1) shape[*open] = divide_dims(all, rest);
  if (num_open == 0 && both_known && all.value != rest.value) {
    throw ModelError(cat("cannot reshape ", shape_text(*input), " to ", shape_text(target)));
  }
  return shape;
}

void infer_reshape(InferContext& context) {
  if (const Tensor* target = context.constant(1)) {
    std::int64_t num_open = 0;
    const auto values = context.ints(1);
    for (const std::int64_t dim : *values) {
      if (dim < -1) throw ModelError(cat("the shape has a negative dimension ", dim));
      num_open += dim == -1 ? 1 : 0;
    }
    if (num_open > 1) throw ModelError("the shape has more than one -1");
    if (target->rank() > 1) throw ModelError(cat("the shape is ", type_text(*target), ", expected a list"));
  }
  const bool allow_zero = context.node().get_int("allowzero") != 0;
  if (const auto target = context.dims(1)) {
    const SymbolicShape shape = reshape_dims(context.shape(0), *target, allow_zero);
    context.set_output(0, context.dtype(0), shape);
    const auto dims = list_dims(context, 0);
    if (dims && shape.size() <= 1) context.set_dims(0, *dims);
    return;
  }
  // Of an unknown shape at least the rank may be known.
  const auto& list = context.shape(1);
  constexpr std::int64_t most_dims = 1024;
  if (list && list->size() == 1 && list->front().is_known() && list->front().value <= most_dims) {
    return context.set_output(0, context.dtype(0), SymbolicShape(static_cast<std::size_t>(list->front().value)));
  }
  context.set_output(0, context.dtype(0));
}

void infer_flatten(InferContext& context) {
  const auto rank = context.rank(0);
  if (!rank) return context.set_output(0, context.dtype(0), SymbolicShape(2));
  std::int64_t axis = context.node().get_int("axis");
  if (axis < -*rank || axis > *rank) throw ModelError(cat("axis ", axis, " is out of range for rank ", *rank));
  if (axis < 0) axis += *rank;
  const auto middle = context.shape(0)->begin() + axis;
  context.set_output(0, context.dtype(0),
                     SymbolicShape{multiply_all({context.shape(0)->begin(), middle}),
                                   multiply_all({middle, context.shape(0)->end()})});
}

void infer_squeeze(InferContext& context) {
  const auto dims = list_dims(context, 0);
  if (dims && dims->size() == 1 && context.rank(0) == 1) context.set_dims(0, *dims);
  const auto& shape = context.shape(0);
  std::optional<std::vector<std::int64_t>> axes;
  if (context.has_input(1)) axes = context.ints(1);
  if (!shape || (context.has_input(1) && !axes)) return context.set_output(0, context.dtype(0));
  std::vector<bool> drop(shape->size(), false);
  if (axes) {
    for (const std::int64_t axis : normalize_axes(*axes, *context.rank(0))) {
      const Dim& dim = (*shape)[static_cast<std::size_t>(axis)];
      if (dim.is_known() && dim.value != 1) {
        throw ModelError(cat("axis ", axis, " of ", shape_text(*shape), " is not 1 and cannot be squeezed"));
      }
      drop[static_cast<std::size_t>(axis)] = true;
    }
  } else {
    for (std::size_t i = 0; i < drop.size(); ++i) {
      if (!(*shape)[i].is_known()) return context.set_output(0, context.dtype(0));  // it may be 1
      drop[i] = (*shape)[i].value == 1;
    }
  }
  SymbolicShape result;
  for (std::size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i]) result.push_back((*shape)[i]);
  }
  context.set_output(0, context.dtype(0), result);
}

void infer_unsqueeze(InferContext& context) {
  const auto dims = list_dims(context, 0);
  if (dims && context.rank(0) == 0) context.set_dims(0, *dims);
  const auto axes = context.ints(1);
  if (!context.shape(0) || !axes) return context.set_output(0, context.dtype(0));
  const std::size_t rank = context.shape(0)->size() + axes->size();
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : normalize_axes(*axes, static_cast<std::int64_t>(rank))) {
    added[static_cast<std::size_t>(axis)] = true;
  }
  SymbolicShape shape;
  auto next = context.shape(0)->begin();
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(added[i] ? Dim(1) : *next++);
  context.set_output(0, context.dtype(0), shape);
}

void infer_shape(InferContext& context) {
  const auto rank = context.rank(0);
  if (!rank) return context.set_output(0, DType::S64, SymbolicShape(1));
  const auto clamp = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + *rank : axis, 0, *rank);
  };
  const std::int64_t start = clamp(context.node().get_int("start"));
  const std::int64_t end = std::max(start, clamp(context.node().get_int("end", *rank)));
  context.set_output(0, DType::S64, SymbolicShape{Dim(end - start)});
  context.set_dims(0, {context.shape(0)->begin() + start, context.shape(0)->begin() + end});
}

void infer_size(InferContext& context) {
  context.set_output(0, DType::S64, SymbolicShape{});
  if (context.shape(0)) context.set_dims(0, {multiply_all(*context.shape(0))});
}

}  // namespace adze::movement
