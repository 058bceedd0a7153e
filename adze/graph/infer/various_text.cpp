#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"
#include "adze/graph/infer/various.h"

namespace adze::various {

namespace {

void require_strings(const InferContext& context, std::size_t input) {
  const DType dtype = context.dtype(input);
  if (dtype != DType::Undefined && dtype != DType::String) {
    throw ModelError(cat("input ", input, " holds ", dtype_name(dtype), ", expected strings"));
  }
}

}  // namespace

void infer_regex_full_match(InferContext& context) {
  require_strings(context, 0);
  context.set_output(0, DType::Bool, context.shape(0));
}

void infer_string_concat(InferContext& context) {
  require_strings(context, 0);
  require_strings(context, 1);
  std::optional<SymbolicShape> shape;
  if (context.shape(0) && context.shape(1)) shape = broadcast(*context.shape(0), *context.shape(1));
  context.set_output(0, DType::String, std::move(shape));
}

void infer_string_normalizer(InferContext& context) {
  require_strings(context, 0);
  if (!context.shape(0)) return context.set_output(0, DType::String);
  SymbolicShape shape = *context.shape(0);
  const bool one_row = shape.size() == 2 && (!shape[0].is_known() || shape[0].value == 1);
  if (shape.size() != 1 && !one_row)
    throw ModelError(cat("input has shape ", shape_text(shape), ", expected [C] or [1, C]"));
  if (!context.node().get_strings("stopwords").empty()) shape.back() = Dim();
  context.set_output(0, DType::String, std::move(shape));
}

void infer_string_split(InferContext& context) {
  require_strings(context, 0);
  auto shape = context.shape(0);
  context.set_output(1, DType::S64, shape);
  if (shape) shape->emplace_back();
  context.set_output(0, DType::String, std::move(shape));
}

void infer_tf_idf_vectorizer(InferContext& context) {
  const auto indexes = context.node().get_ints("ngram_indexes");
  if (indexes.empty()) throw ModelError("ngram_indexes is empty");
  for (const std::int64_t index : indexes) {
    if (index < 0) throw ModelError(cat("ngram_indexes holds ", index));
  }
  const std::int64_t length = *std::max_element(indexes.begin(), indexes.end()) + 1;
  auto shape = context.shape(0);
  if (shape) {
    if (shape->size() == 1) {
      shape = SymbolicShape{Dim(length)};
    } else if (shape->size() == 2) {
      (*shape)[1] = Dim(length);
    } else {
      throw ModelError(cat("input has shape ", shape_text(*shape), ", expected [C] or [N, C]"));
    }
  }
  context.set_output(0, DType::F32, std::move(shape));
}

/// Inputs R, T, then groups of tensors: parameters, gradients and one or two kinds of state. Outputs: the new
/// parameters and states.
void infer_optimizer(InferContext& context) {
  const std::size_t kinds = context.node().kind == OpKind::Adam ? 4 : 3;
  if (context.num_inputs() < 2 + kinds || (context.num_inputs() - 2) % kinds != 0) {
    throw ModelError(cat("has ", context.num_inputs(), " inputs, expected 2 and a multiple of ", kinds));
  }
  const std::size_t count = (context.num_inputs() - 2) / kinds;
  if (context.num_outputs() != count * (kinds - 1)) {
    throw ModelError(cat("has ", context.num_outputs(), " outputs, expected ", count * (kinds - 1)));
  }
  for (std::size_t i = 0; i < context.num_outputs(); ++i) {
    const std::size_t input = 2 + (i < count ? i : i + count);  // gradients have no output
    context.set_output(i, context.dtype(input), context.shape(input));
  }
}

void infer_loss(InferContext& context) {
  const std::string reduction = context.node().get_string("reduction");
  if (reduction != "none" && reduction != "mean" && reduction != "sum") {
    throw ModelError(cat("reduction ", quoted(reduction), " must be none, mean or sum"));
  }
  const auto& x = context.shape(0);
  const auto& target = context.shape(1);
  if (x && x->size() < 2) throw ModelError("input must have batch and class dimensions");
  if (x && target) {
    neural::require_rank(context, 1, static_cast<std::int64_t>(x->size()) - 1);
    for (std::size_t i = 0; i < target->size(); ++i) {
      neural::require_equal((*target)[i], (*x)[i == 0 ? 0 : i + 1], "dimensions of input and target");
    }
  }
  neural::require_rank(context, 2, 1);
  if (x && context.shape(2)) neural::require_equal((*context.shape(2))[0], (*x)[1], "weights and classes");
  std::optional<SymbolicShape> shape = SymbolicShape{};
  if (reduction == "none") {
    shape = target;
    if (!shape && x) {
      shape = *x;
      shape->erase(shape->begin() + 1);
    }
  }
  context.set_output(0, context.dtype(0), std::move(shape));
  context.set_output(1, context.dtype(0), x);
}

}  // namespace adze::various
