// Operators that keep the elements in place and change, or tell, the shape.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

void run_identity(Context& context) {
  context.set(0, context.datum(0));
}

/// 0 copies the input's dimension (unless allowzero), -1 is what is left over.
void run_reshape(Context& context) {
  const Tensor& input = context.input(0);
  const bool allow_zero = context.node().get_int("allowzero") != 0;
  Shape shape = int_list(context.input(1));
  std::int64_t unknown = -1, known = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !allow_zero) {
      if (i >= input.shape().size())
        throw ModelError(
            cat("shape ", shape_text(shape), " copies a dimension that ", shape_text(input.shape()), " does not have"));
      shape[i] = input.shape()[i];
    }
    if (shape[i] == -1) {
      if (unknown >= 0) throw ModelError(cat("shape ", shape_text(shape), " has more than one -1"));
      unknown = static_cast<std::int64_t>(i);
    } else if (shape[i] < 0) {
      throw ModelError(cat("shape ", shape_text(shape), " has a negative dimension"));
    } else {
      known = checked_mul(known, shape[i], "number of elements");
    }
  }
  if (unknown >= 0) {
    if (known == 0 || input.size() % known != 0) {
      throw ModelError(cat("cannot reshape ", shape_text(input.shape()), " to ", shape_text(shape)));
    }
    shape[static_cast<std::size_t>(unknown)] = input.size() / known;
  }
  context.set(0, input.reshaped(std::move(shape)));
}

void run_flatten(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t axis = context.node().get_int("axis");
  if (axis < -input.rank() || axis > input.rank()) {
    throw ModelError(cat("axis ", axis, " is out of range for rank ", input.rank()));
  }
  const auto middle = input.shape().begin() + (axis < 0 ? axis + input.rank() : axis);
  const Shape front(input.shape().begin(), middle), back(middle, input.shape().end());
  context.set(0, input.reshaped({num_elements(front), num_elements(back)}));
}

void run_squeeze(Context& context) {
  const Tensor& input = context.input(0);
  std::vector<bool> drop(input.shape().size(), false);
  if (const Tensor* axes = context.optional_input(1)) {
    for (const std::int64_t axis : checked_axes(int_list(*axes), input.rank())) {
      if (input.dim(axis) != 1) {
        throw ModelError(cat("axis ", axis, " of ", shape_text(input.shape()), " is not 1 and cannot be squeezed"));
      }
      drop[static_cast<std::size_t>(axis)] = true;
    }
  } else {
    for (std::size_t i = 0; i < drop.size(); ++i) drop[i] = input.shape()[i] == 1;
  }
  Shape shape;
  for (std::size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i]) shape.push_back(input.shape()[i]);
  }
  context.set(0, input.reshaped(shape));
}

void run_unsqueeze(Context& context) {
  const Tensor& input = context.input(0);
  const std::vector<std::int64_t> axes = int_list(context.input(1));
  const std::int64_t rank = input.rank() + static_cast<std::int64_t>(axes.size());
  Shape shape(static_cast<std::size_t>(rank), 0);
  for (const std::int64_t axis : checked_axes(axes, rank)) shape[static_cast<std::size_t>(axis)] = 1;
  auto next = input.shape().begin();
  for (std::int64_t& dim : shape) {
    if (dim == 0) dim = *next++;
  }
  context.set(0, input.reshaped(shape));
}

/// start and end clamp to [0, rank].
void run_shape(Context& context) {
  const Tensor& input = context.input(0);
  const auto clamp = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + input.rank() : axis, 0, input.rank());
  };
  const std::int64_t start = clamp(context.node().get_int("start"));
  const std::int64_t end = std::max(start, clamp(context.node().get_int("end", input.rank())));
  context.set(0, Tensor::ints({input.shape().begin() + start, input.shape().begin() + end}));
}

void run_size(Context& context) {
  context.set(0, Tensor::scalar<std::int64_t>(context.input(0).size()));
}

void run_constant(Context& context) {
  const Node& node = context.node();
  const auto list = [](const auto& values) {
    using T = std::decay_t<decltype(values[0])>;
    return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
  };
  if (const Attribute* value = node.find("value")) {
    if (const Tensor* tensor = std::get_if<Tensor>(value)) return context.set(0, *tensor);
  }
  if (node.has("value_float")) return context.set(0, Tensor::scalar(node.get_float("value_float")));
  if (node.has("value_floats")) return context.set(0, list(node.get_floats("value_floats")));
  if (node.has("value_int")) return context.set(0, Tensor::scalar(node.get_int("value_int")));
  if (node.has("value_ints")) return context.set(0, list(node.get_ints("value_ints")));
  if (node.has("value_string")) return context.set(0, Tensor::scalar(node.get_string("value_string")));
  if (node.has("value_strings")) return context.set(0, list(node.get_strings("value_strings")));
  throw ModelError("has no value");
}

constexpr KernelEntry table[] = {
    {OpKind::Constant, run_constant}, {OpKind::Flatten, run_flatten},     {OpKind::Identity, run_identity},
    {OpKind::Reshape, run_reshape},   {OpKind::Shape, run_shape},         {OpKind::Size, run_size},
    {OpKind::Squeeze, run_squeeze},   {OpKind::Unsqueeze, run_unsqueeze},
};

}  // namespace

std::span<const KernelEntry> shape_kernels() {
  return table;
}

}  // namespace adze::reference::detail
