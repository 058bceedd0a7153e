#include <map>

#include "adze/base/text.h"
#include "adze/graph/einsum.h"
#include "adze/graph/infer.h"
#include "adze/graph/infer/dims.h"

namespace adze {

namespace {

SymbolicShape reduced(const SymbolicShape& shape, const std::vector<std::int64_t>& axes, bool keep_dims) {
  std::vector<bool> drop(shape.size(), false);
  for (const std::int64_t axis : axes) drop[static_cast<std::size_t>(axis)] = true;
  SymbolicShape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!drop[i]) result.push_back(shape[i]);
    if (drop[i] && keep_dims) result.emplace_back(1);
  }
  return result;
}

void infer_reduce(InferContext& context) {
  const auto& shape = context.shape(0);
  const bool keep_dims = context.node().get_int("keepdims") != 0;
  std::optional<std::vector<std::int64_t>> axes = std::vector<std::int64_t>{};
  if (context.has_input(1)) axes = context.ints(1);
  if (!shape) return context.set_output(0, context.dtype(0));
  const auto rank = static_cast<std::int64_t>(shape->size());
  if (!axes) {
    // Not known which, so any dimension may become 1.
    if (!keep_dims) return context.set_output(0, context.dtype(0));
    return context.set_output(0, context.dtype(0), SymbolicShape(shape->size()));
  }
  if (axes->empty() && context.node().get_int("noop_with_empty_axes") != 0) {
    return context.set_output(0, context.dtype(0), shape);
  }
  if (axes->empty()) {
    for (std::int64_t axis = 0; axis < rank; ++axis) axes->push_back(axis);
  }
  context.set_output(0, context.dtype(0), reduced(*shape, normalize_axes(*axes, rank), keep_dims));
  // The product of dimensions, as exports compute sizes.
  const bool whole_list = rank == 1 && axes->size() == 1;
  if (const auto dims = list_dims(context, 0); dims && whole_list && context.node().kind == OpKind::ReduceProd) {
    context.set_dims(0, {multiply_all(*dims)});
  }
}

void infer_arg(InferContext& context) {
  if (!context.shape(0)) return context.set_output(0, DType::S64);
  const std::int64_t axis = axis_of(context, *context.rank(0));
  context.set_output(0, DType::S64, reduced(*context.shape(0), {axis}, context.node().get_int("keepdims") != 0));
}

void infer_same(InferContext& context) {
  context.set_output(0, context.dtype(0), context.shape(0));
}

/// The type of the input; its axis attribute is checked.
void infer_along_axis(InferContext& context) {
  if (const auto rank = context.rank(0)) axis_of(context, *rank);
  infer_same(context);
}

void infer_lp_normalization(InferContext& context) {
  const std::int64_t p = context.node().get_int("p");
  if (p != 1 && p != 2) throw ModelError(cat("attribute p is ", p, ", expected 1 or 2"));
  infer_along_axis(context);
}

void infer_mean_variance_normalization(InferContext& context) {
  if (const auto rank = context.rank(0); rank && context.node().has("axes")) {
    normalize_axes(context.node().get_ints("axes"), *rank);
  }
  infer_same(context);
}

void infer_cum_sum(InferContext& context) {
  const auto axis = context.ints(1);
  if (axis && axis->size() == 1 && context.shape(0)) normalize_axis(axis->front(), *context.rank(0));
  infer_same(context);
}

void infer_det(InferContext& context) {
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  const SymbolicShape& shape = *context.shape(0);
  if (shape.size() < 2 || !compatible({shape[shape.size() - 1]}, {shape[shape.size() - 2]})) {
    throw ModelError(cat("expected square matrices, found ", shape_text(shape)));
  }
  context.set_output(0, context.dtype(0), SymbolicShape(shape.begin(), shape.end() - 2));
}

void infer_einsum(InferContext& context) {
  const DType dtype = common_dtype(context, 0, context.num_inputs());
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    if (!context.shape(i)) return context.set_output(0, dtype);
    ranks.push_back(context.shape(i)->size());
  }
  const EinsumEquation equation = parse_einsum(context.node().get_string("equation"), ranks);
  std::map<int, Dim> sizes;
  for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
    for (std::size_t k = 0; k < equation.inputs[i].size(); ++k) {
      Dim& size = sizes.try_emplace(equation.inputs[i][k], Dim(1)).first->second;
      size = broadcast({size}, {(*context.shape(i))[k]})[0];
    }
  }
  SymbolicShape shape;
  for (const int label : equation.output) shape.push_back(sizes.at(label));
  context.set_output(0, dtype, shape);
}

void infer_top_k(InferContext& context) {
  if (!context.shape(0)) {
    context.set_output(0, context.dtype(0));
    return context.set_output(1, DType::S64);
  }
  SymbolicShape shape = *context.shape(0);
  Dim& dim = shape[static_cast<std::size_t>(axis_of(context, *context.rank(0)))];
  const auto k = list_dims(context, 1);
  const Dim wanted = k && k->size() == 1 ? k->front() : Dim();
  if (dim.is_known() && wanted.is_known() && wanted.value > dim.value) {
    throw ModelError(cat("k is ", wanted.value, " for an axis of ", dim.value));
  }
  dim = wanted;
  context.set_output(0, context.dtype(0), shape);
  context.set_output(1, DType::S64, shape);
}

}  // namespace

std::span<const InferEntry> reduction_inference() {
  static constexpr InferEntry entries[] = {
      {OpKind::ArgMax, infer_arg},
      {OpKind::ArgMin, infer_arg},
      {OpKind::CumSum, infer_cum_sum},
      {OpKind::Det, infer_det},
      {OpKind::Einsum, infer_einsum},
      {OpKind::Hardmax, infer_along_axis},
      {OpKind::LogSoftmax, infer_along_axis},
      {OpKind::LpNormalization, infer_lp_normalization},
      {OpKind::MeanVarianceNormalization, infer_mean_variance_normalization},
      {OpKind::ReduceL1, infer_reduce},
      {OpKind::ReduceL2, infer_reduce},
      {OpKind::ReduceLogSum, infer_reduce},
      {OpKind::ReduceLogSumExp, infer_reduce},
      {OpKind::ReduceMax, infer_reduce},
      {OpKind::ReduceMean, infer_reduce},
      {OpKind::ReduceMin, infer_reduce},
      {OpKind::ReduceProd, infer_reduce},
      {OpKind::ReduceSum, infer_reduce},
      {OpKind::ReduceSumSquare, infer_reduce},
      {OpKind::Softmax, infer_along_axis},
      {OpKind::TopK, infer_top_k},
  };
  return entries;
}

}  // namespace adze
