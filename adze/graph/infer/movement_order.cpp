// Operators that keep all elements and put them in another order.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/graph/infer/movement.h"

namespace adze::movement {

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
