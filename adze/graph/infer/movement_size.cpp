// Operators whose output sizes come as data.
#include <algorithm>
#include <cmath>

#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/graph/infer/movement.h"

namespace adze::movement {

namespace {

constexpr std::int64_t most_dims = 1024;  // longer lists of numbers are not dimensions

/// As many unknown dimensions as a list input is long.
std::optional<SymbolicShape> rank_from_list(const InferContext& context, std::size_t input) {
  const auto& list = context.shape(input);
  if (!list || list->size() != 1 || !list->front().is_known() || list->front().value > most_dims) return std::nullopt;
  return SymbolicShape(static_cast<std::size_t>(list->front().value));
}

/// Dimensions from data: negative constants are errors.
std::optional<SymbolicShape> sizes_from_list(const InferContext& context, std::size_t input) {
  if (context.constant(input) != nullptr) {
    const auto values = context.ints(input);
    for (const std::int64_t size : *values) {
      if (size < 0) throw ModelError(cat("input ", input, " has a negative size ", size));
    }
  }
  const auto dims = context.dims(input);
  return dims ? dims : rank_from_list(context, input);
}

}  // namespace

void infer_constant(InferContext& context) {
  const Node& node = context.node();
  const auto list = [&](DType dtype, std::size_t size) {
    context.set_output(0, dtype, SymbolicShape{Dim(static_cast<std::int64_t>(size))});
  };
  if (const Attribute* value = node.find("value")) {
    const Tensor* tensor = std::get_if<Tensor>(value);
    if (tensor != nullptr) context.set_output(0, tensor->dtype(), symbolic(tensor->shape()));
  } else if (node.has("value_float")) {
    context.set_output(0, DType::F32, SymbolicShape{});
  } else if (node.has("value_floats")) {
    list(DType::F32, node.get_floats("value_floats").size());
  } else if (node.has("value_int")) {
    context.set_output(0, DType::S64, SymbolicShape{});
    context.set_dims(0, {Dim(node.get_int("value_int"))});
  } else if (node.has("value_ints")) {
    const auto values = node.get_ints("value_ints");
    list(DType::S64, values.size());
    if (values.size() <= static_cast<std::size_t>(most_dims)) context.set_dims(0, {values.begin(), values.end()});
  } else if (node.has("value_string")) {
    context.set_output(0, DType::String, SymbolicShape{});
  } else if (node.has("value_strings")) {
    list(DType::String, node.get_strings("value_strings").size());
  }
}

void infer_constant_of_shape(InferContext& context) {
  const Attribute* attribute = context.node().find("value");
  const Tensor* value = attribute != nullptr ? std::get_if<Tensor>(attribute) : nullptr;
  if (value != nullptr && value->size() != 1) throw ModelError("attribute value must have one element");
  const DType dtype = value != nullptr ? value->dtype() : DType::F32;
  const auto shape = sizes_from_list(context, 0);
  context.set_output(0, dtype, shape);
  if (!shape || value == nullptr || !is_integer(dtype) || shape->size() > 1) return;
  const Dim length = shape->empty() ? Dim(1) : shape->front();
  if (!length.is_known() || length.value > most_dims) return;
  context.set_dims(0, SymbolicShape(static_cast<std::size_t>(length.value), Dim(value->get_int(0))));
}

void infer_expand(InferContext& context) {
  const auto target = sizes_from_list(context, 1);
  if (!context.shape(0) || !target) return context.set_output(0, context.dtype(0));
  const SymbolicShape shape = broadcast(*context.shape(0), *target);
  context.set_output(0, context.dtype(0), shape);
  const auto dims = list_dims(context, 0);
  if (!dims || shape.size() > 1) return;
  const Dim length = shape.empty() ? Dim(1) : shape.front();
  if (dims->size() == 1 && length.is_known() && length.value <= most_dims) {
    context.set_dims(0, SymbolicShape(static_cast<std::size_t>(length.value), dims->front()));
  } else if (Dim(static_cast<std::int64_t>(dims->size())) == length) {
    context.set_dims(0, *dims);
  }
}

void infer_eye_like(InferContext& context) {
  if (context.rank(0) && *context.rank(0) != 2) {
    throw ModelError(cat("expected an input of rank 2, found ", shape_text(*context.shape(0))));
  }
  const auto dtype = context.node().get_int("dtype", static_cast<std::int64_t>(context.dtype(0)));
  if (dtype < 0 || dtype >= num_dtypes)
    throw ModelError(cat("attribute dtype is ", dtype, ", which is no element type"));
  context.set_output(0, static_cast<DType>(dtype), context.shape(0) ? context.shape(0) : SymbolicShape(2));
}

void infer_one_hot(InferContext& context) {
  if (!context.shape(0)) return context.set_output(0, context.dtype(2));
  const std::int64_t axis = axis_of(context, *context.rank(0) + 1);
  const auto depth = list_dims(context, 1);
  SymbolicShape shape = *context.shape(0);
  shape.insert(shape.begin() + axis, depth && depth->size() == 1 ? depth->front() : Dim());
  context.set_output(0, context.dtype(2), shape);
}

void infer_range(InferContext& context) {
  const DType dtype = common_dtype(context, 0, 3);
  const auto set_count = [&](Dim count) { context.set_output(0, dtype, SymbolicShape{std::move(count)}); };
  const Tensor *start = context.constant(0), *limit = context.constant(1), *delta = context.constant(2);
  const auto single = [](const Tensor* tensor) { return tensor != nullptr && tensor->size() == 1; };
  if (single(start) && single(limit) && single(delta)) {
    const double step = delta->get_double(0);
    if (is_integer(dtype) && step == 0) throw ModelError("the step is 0");
    const double count = std::max(0.0, std::ceil((limit->get_double(0) - start->get_double(0)) / step));
    if (!(count < 0x1p52)) throw ModelError("the range has no end");
    return set_count(Dim(static_cast<std::int64_t>(count)));
  }
  const auto first = list_dims(context, 0), last = list_dims(context, 1), step = list_dims(context, 2);
  const auto is = [](const auto& dims, std::int64_t value) {
    return dims && dims->size() == 1 && dims->front() == Dim(value);
  };
  const bool from_zero_by_one = is(first, 0) && is(step, 1) && last && last->size() == 1;
  set_count(from_zero_by_one && says_something(last->front()) ? last->front() : Dim());
}

void infer_tile(InferContext& context) {
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  const auto repeats = sizes_from_list(context, 1);
  if (repeats && repeats->size() != shape.size()) {
    throw ModelError(cat("has ", repeats->size(), " repeats for rank ", shape.size()));
  }
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] = repeats ? multiply_dims(shape[i], (*repeats)[i]) : Dim();
  context.set_output(0, context.dtype(0), shape);
}

void infer_pad(InferContext& context) {
  require_choice(context, "mode", {"constant", "edge", "reflect", "wrap"});
  const DType fill = context.dtype(2), dtype = context.dtype(0);
  if (fill != DType::Undefined && dtype != DType::Undefined && fill != dtype) {
    throw ModelError(cat("the constant is ", dtype_name(fill), ", the input is ", dtype_name(dtype)));
  }
  if (!context.shape(0)) return context.set_output(0, dtype);
  SymbolicShape shape = *context.shape(0);
  const auto pads = context.ints(1);
  std::optional<std::vector<std::int64_t>> axes = context.ints(3);
  if (!pads || (context.has_input(3) && !axes)) return context.set_output(0, dtype, SymbolicShape(shape.size()));
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < shape.size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (pads->size() != 2 * axes->size()) {
    throw ModelError(cat("has ", pads->size(), " pads for ", axes->size(), " axes, expected twice as many"));
  }
  const std::vector<std::int64_t> at = normalize_axes(*axes, *context.rank(0));
  for (std::size_t i = 0; i < at.size(); ++i) {
    Dim& dim = shape[static_cast<std::size_t>(at[i])];
    const std::int64_t before = (*pads)[i], after = (*pads)[at.size() + i];
    if (before == 0 && after == 0) continue;
    if (!dim.is_known()) {
      dim = Dim();
      continue;
    }
    const std::int64_t size =
        checked_add(checked_add(dim.value, before, "padded dimension"), after, "padded dimension");
    if (size < 0) throw ModelError(cat("pads ", before, " and ", after, " cut more than the dimension ", dim.value));
    dim = Dim(size);
  }
  context.set_output(0, dtype, shape);
}

void infer_center_crop_pad(InferContext& context) {
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  std::vector<std::int64_t> axes = context.node().get_ints("axes");
  if (!context.node().has("axes")) {
    for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  axes = normalize_axes(axes, *context.rank(0));
  const auto sizes = sizes_from_list(context, 1);
  if (sizes && sizes->size() != axes.size())
    throw ModelError(cat("has ", sizes->size(), " sizes for ", axes.size(), " axes"));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    shape[static_cast<std::size_t>(axes[i])] = sizes ? (*sizes)[i] : Dim();
  }
  context.set_output(0, context.dtype(0), shape);
}

}  // namespace adze::movement
