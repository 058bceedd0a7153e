// Operators that pick or replace elements by position or index.
#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer/movement.h"

namespace adze::movement {

void require_index_type(const InferContext& context, std::size_t input) {
  const DType dtype = context.dtype(input);
  if (dtype == DType::Undefined || is_integer(dtype)) return;
  throw ModelError(cat("input ", input, " holds ", dtype_name(dtype), ", expected integer indices"));
}

void infer_gather(InferContext& context) {
  require_index_type(context, 1);
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  const std::int64_t axis = axis_of(context, *context.rank(0));
  if (!context.shape(1)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, context.shape(1)->begin(), context.shape(1)->end());
  context.set_output(0, context.dtype(0), shape);
  const auto dims = list_dims(context, 0);
  const auto indices = list_dims(context, 1) ? context.ints(1) : std::nullopt;
  if (!dims || !indices || shape.size() > 1) return;
  SymbolicShape picked;
  const auto size = static_cast<std::int64_t>(dims->size());
  for (const std::int64_t index : *indices) {
    if (index < -size || index >= size) throw ModelError(cat("index ", index, " is out of range for size ", size));
    picked.push_back((*dims)[static_cast<std::size_t>(index < 0 ? index + size : index)]);
  }
  context.set_dims(0, picked);
}

void infer_gather_elements(InferContext& context) {
  require_index_type(context, 1);
  if (context.rank(0)) axis_of(context, *context.rank(0));
  if (context.rank(0) && context.rank(1) && context.rank(0) != context.rank(1)) {
    throw ModelError(cat("indices have rank ", *context.rank(1), ", data have rank ", *context.rank(0)));
  }
  context.set_output(0, context.dtype(0), context.shape(1));
}

void infer_gather_nd(InferContext& context) {
  require_index_type(context, 1);
  const std::int64_t batch_dims = context.node().get_int("batch_dims");
  if (batch_dims < 0) throw ModelError(cat("attribute batch_dims is ", batch_dims));
  if (!context.shape(0) || !context.shape(1)) return context.set_output(0, context.dtype(0));
  const SymbolicShape &data = *context.shape(0), &indices = *context.shape(1);
  if (data.empty() || indices.empty()) throw ModelError("data and indices need rank 1 or more");
  const Dim& depth = indices.back();
  if (batch_dims >= static_cast<std::int64_t>(std::min(data.size(), indices.size()))) {
    throw ModelError(cat("attribute batch_dims is ", batch_dims, " for indices ", shape_text(indices)));
  }
  if (!depth.is_known()) return context.set_output(0, context.dtype(0));
  if (depth.value < 1 || depth.value > static_cast<std::int64_t>(data.size()) - batch_dims) {
    throw ModelError(cat("rows of ", depth.value, " indices do not fit data ", shape_text(data)));
  }
  SymbolicShape shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), data.begin() + batch_dims + depth.value, data.end());
  context.set_output(0, context.dtype(0), shape);
}

void infer_compress(InferContext& context) {
  if (!context.node().has("axis")) return context.set_output(0, context.dtype(0), SymbolicShape(1));
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  shape[static_cast<std::size_t>(axis_of(context, *context.rank(0)))] = Dim();
  context.set_output(0, context.dtype(0), shape);
}

void infer_scatter_elements(InferContext& context) {
  require_index_type(context, 1);
  if (context.node().kind == OpKind::ScatterElements) {
    require_choice(context, "reduction", {"none", "add", "mul", "max", "min"});
  }
  if (context.rank(0)) axis_of(context, *context.rank(0));
  const DType data = context.dtype(0), updates = context.dtype(2);
  if (data != DType::Undefined && updates != DType::Undefined && data != updates) {
    throw ModelError(cat("data are ", dtype_name(data), ", updates are ", dtype_name(updates)));
  }
  for (const std::size_t i : {1u, 2u}) {
    if (context.rank(0) && context.rank(i) && context.rank(0) != context.rank(i)) {
      throw ModelError(cat("input ", i, " has rank ", *context.rank(i), ", data have rank ", *context.rank(0)));
    }
  }
  context.set_output(0, data == DType::Undefined ? updates : data, context.shape(0));
}

void infer_scatter_nd(InferContext& context) {
  require_index_type(context, 1);
  require_choice(context, "reduction", {"none", "add", "mul", "max", "min"});
  const auto& indices = context.shape(1);
  if (indices && indices->empty()) throw ModelError("indices need rank 1 or more");
  if (indices && context.shape(0) && indices->back().is_known() && indices->back().value > *context.rank(0)) {
    throw ModelError(
        cat("rows of ", indices->back().value, " indices do not fit data ", shape_text(*context.shape(0))));
  }
  context.set_output(0, context.dtype(0), context.shape(0));
}

void infer_unique(InferContext& context) {
  SymbolicShape list(1);
  for (const std::size_t i : {1u, 2u, 3u}) context.set_output(i, DType::S64, list);
  if (!context.node().has("axis")) {
    if (context.shape(0)) context.set_output(2, DType::S64, SymbolicShape{multiply_all(*context.shape(0))});
    return context.set_output(0, context.dtype(0), list);
  }
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  Dim& dim = shape[static_cast<std::size_t>(axis_of(context, *context.rank(0)))];
  context.set_output(2, DType::S64, SymbolicShape{dim});
  dim = Dim();
  context.set_output(0, context.dtype(0), shape);
}

void infer_non_zero(InferContext& context) {
  SymbolicShape shape(2);
  if (context.rank(0)) shape[0] = Dim(*context.rank(0));
  context.set_output(0, DType::S64, shape);
}

}  // namespace adze::movement
