#include "adze/base/text.h"
#include "adze/graph/infer/control.h"
#include "adze/graph/infer/neural.h"

namespace adze::control {

using Kind = ValueType::Kind;

bool is_known(const ValueType& type) {
  return !type.is_tensor() || type.dtype != DType::Undefined || type.shape;
}

ValueType common(const ValueType& a, const ValueType& b) {
  if (a.kind != b.kind) return {};
  if (!a.is_tensor()) {
    ValueType result = a;
    if (a.element && b.element) result.element = std::make_shared<const ValueType>(common(*a.element, *b.element));
    return result;
  }
  ValueType result = ValueType::tensor(a.dtype == b.dtype ? a.dtype : DType::Undefined);
  if (a.shape && b.shape && a.shape->size() == b.shape->size()) {
    result.shape = a.shape;
    for (std::size_t i = 0; i < a.shape->size(); ++i) {
      const Dim& dim = (*a.shape)[i];
      if (dim != (*b.shape)[i]) (*result.shape)[i] = Dim();
    }
  }
  return result;
}

ValueType element_or_unknown(const ValueType& type) {
  return type.element ? *type.element : ValueType{};
}

void infer_same_type(InferContext& context) {
  if (is_known(context.type(0))) context.set_output(0, context.type(0));
}

void infer_sequence_at(InferContext& context) {
  if (context.type(0).kind == Kind::Sequence) context.set_output(0, element_or_unknown(context.type(0)));
}

void infer_sequence_construct(InferContext& context) {
  ValueType element = context.type(0);
  for (std::size_t i = 1; i < context.num_inputs(); ++i) element = common(element, context.type(i));
  context.set_output(0, ValueType::sequence(element));
}

void infer_sequence_empty(InferContext& context) {
  const auto dtype = static_cast<DType>(context.node().get_int("dtype", static_cast<std::int64_t>(DType::F32)));
  context.set_output(0, ValueType::sequence(ValueType::tensor(dtype)));
}

void infer_sequence_insert(InferContext& context) {
  if (context.type(0).kind != Kind::Sequence) return;
  const ValueType element = element_or_unknown(context.type(0));
  const ValueType& added = context.type(1);
  ValueType result = ValueType::tensor(element.dtype != DType::Undefined ? element.dtype : added.dtype);
  if (!element.is_tensor()) result = element;
  context.set_output(0, ValueType::sequence(result));
}

void infer_scalar_count(InferContext& context) {
  context.set_output(0, DType::S64, SymbolicShape{});
}

void infer_has_element(InferContext& context) {
  context.set_output(0, DType::Bool, SymbolicShape{});
}

void infer_optional(InferContext& context) {
  if (context.has_input(0)) {
    if (is_known(context.type(0))) context.set_output(0, ValueType::optional(context.type(0)));
    return;
  }
  const Attribute* type = context.node().find("type");
  const ValueType* element = type != nullptr ? std::get_if<ValueType>(type) : nullptr;
  if (element == nullptr) throw ModelError("an optional without input needs the attribute type");
  context.set_output(0, ValueType::optional(*element));
}

void infer_get_element(InferContext& context) {
  const ValueType& type = context.type(0);
  if (type.kind == Kind::Optional) return context.set_output(0, element_or_unknown(type));
  infer_same_type(context);
}

void infer_concat_from_sequence(InferContext& context) {
  const ValueType element = element_or_unknown(context.type(0));
  if (!element.is_tensor()) return;
  std::optional<SymbolicShape> shape;
  if (element.shape) {
    shape = neural::unknown_dims(element.shape->size() + (context.node().get_int("new_axis") != 0 ? 1 : 0));
  }
  context.set_output(0, element.dtype, std::move(shape));
}

void infer_split_to_sequence(InferContext& context) {
  auto shape = context.shape(0);
  if (shape) {
    const std::int64_t axis = normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(shape->size()));
    if (!context.has_input(1) && context.node().get_int("keepdims") == 0) {
      shape->erase(shape->begin() + axis);
    } else {
      (*shape)[static_cast<std::size_t>(axis)] = context.has_input(1) ? Dim() : Dim(1);
    }
  }
  context.set_output(0, ValueType::sequence(ValueType::tensor(context.dtype(0), std::move(shape))));
}

}  // namespace adze::control
