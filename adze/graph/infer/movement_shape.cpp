// Operators that keep all elements and change the shape or the order.
#include <algorithm>

#include "adze/base/checked.h"
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

void infer_transpose(InferContext& context) {
  const bool has_perm = context.node().has("perm");
  std::vector<std::int64_t> perm = context.node().get_ints("perm");
  if (has_perm) perm = normalize_axes(perm, static_cast<std::int64_t>(perm.size()));
  const auto& shape = context.shape(0);
  if (!shape) {
    return context.set_output(0, context.dtype(0), has_perm ? std::optional(SymbolicShape(perm.size())) : std::nullopt);
  }
  if (has_perm && perm.size() != shape->size()) {
    throw ModelError(cat("perm has ", perm.size(), " entries for rank ", shape->size()));
  }
  SymbolicShape result(shape->rbegin(), shape->rend());
  for (std::size_t i = 0; i < perm.size(); ++i) result[i] = (*shape)[static_cast<std::size_t>(perm[i])];
  context.set_output(0, context.dtype(0), result);
}

/// The parts of a concatenated list of dimensions; unknown ones where only their number is known.
static void concat_dims(InferContext& context) {
  SymbolicShape all;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    if (const auto dims = list_dims(context, i)) {
      all.insert(all.end(), dims->begin(), dims->end());
    } else {
      constexpr std::int64_t most_dims = 1024;
      const auto& shape = context.shape(i);
      if (!shape || shape->size() != 1 || !shape->front().is_known() || shape->front().value > most_dims) return;
      all.insert(all.end(), static_cast<std::size_t>(shape->front().value), Dim());
    }
  }
  context.set_dims(0, all);
}

void infer_concat(InferContext& context) {
  const DType dtype = common_dtype(context, 0, context.num_inputs());
  std::optional<SymbolicShape> shape;
  bool all_known = true;
  Dim total(0);
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    if (!context.shape(i)) {
      all_known = false;
      continue;
    }
    const SymbolicShape& part = *context.shape(i);
    const auto axis = static_cast<std::size_t>(axis_of(context, static_cast<std::int64_t>(part.size())));
    total = total == Dim(0) ? part[axis] : add_dims(total, part[axis]);
    if (!shape) shape = SymbolicShape(part.size());
    SymbolicShape rest = part;
    rest[axis] = Dim();
    if (!compatible(*shape, rest))
      throw ModelError(cat("cannot concatenate parts of shape ", shape_text(*shape), " and ", shape_text(part)));
    for (std::size_t k = 0; k < rest.size(); ++k) {
      if (rest[k].is_known() || !says_something((*shape)[k])) (*shape)[k] = rest[k];
    }
  }
  if (shape)
    (*shape)[static_cast<std::size_t>(axis_of(context, static_cast<std::int64_t>(shape->size())))] =
        all_known ? total : Dim();
  context.set_output(0, dtype, shape);
  if (shape && shape->size() == 1 && is_integer(dtype)) concat_dims(context);
}

static std::int64_t block_size(const InferContext& context) {
  const std::int64_t block = context.node().get_int("blocksize");
  if (block <= 0) throw ModelError(cat("attribute blocksize is ", block, ", expected more than 0"));
  if (context.rank(0) && *context.rank(0) != 4) {
    throw ModelError(cat("expected an input of rank 4, found ", shape_text(*context.shape(0))));
  }
  return block;
}

static void require_divisible(const Dim& dim, std::int64_t by) {
  if (dim.is_known() && dim.value % by != 0)
    throw ModelError(cat("dimension ", dim.value, " is not divisible by ", by));
}

void infer_depth_to_space(InferContext& context) {
  require_choice(context, "mode", {"DCR", "CRD"});
  const std::int64_t block = block_size(context), square = checked_mul(block, block);
  if (!context.shape(0)) return context.set_output(0, context.dtype(0), SymbolicShape(4));
  const SymbolicShape& in = *context.shape(0);
  require_divisible(in[1], square);
  context.set_output(
      0, context.dtype(0),
      SymbolicShape{in[0], divide_dims(in[1], square), multiply_dims(in[2], block), multiply_dims(in[3], block)});
}

void infer_space_to_depth(InferContext& context) {
  const std::int64_t block = block_size(context), square = checked_mul(block, block);
  if (!context.shape(0)) return context.set_output(0, context.dtype(0), SymbolicShape(4));
  const SymbolicShape& in = *context.shape(0);
  require_divisible(in[2], block);
  require_divisible(in[3], block);
  context.set_output(
      0, context.dtype(0),
      SymbolicShape{in[0], multiply_dims(in[1], square), divide_dims(in[2], block), divide_dims(in[3], block)});
}

void infer_reverse_sequence(InferContext& context) {
  if (const auto rank = context.rank(0)) {
    if (*rank < 2) throw ModelError(cat("expected rank 2 or more, found ", shape_text(*context.shape(0))));
    normalize_axes({context.node().get_int("batch_axis"), context.node().get_int("time_axis")}, *rank);
  }
  context.set_output(0, context.dtype(0), context.shape(0));
}

void infer_trilu(InferContext& context) {
  if (context.rank(0) && *context.rank(0) < 2) {
    throw ModelError(cat("expected rank 2 or more, found ", shape_text(*context.shape(0))));
  }
  context.set_output(0, context.dtype(0), context.shape(0));
}

}  // namespace adze::movement
