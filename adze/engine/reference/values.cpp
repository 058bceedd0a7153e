#include "adze/engine/reference/values.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer.h"

namespace adze::reference {

std::vector<double> to_doubles(const Tensor& tensor) {
  const Tensor doubles = converted(tensor, DType::F64);
  const auto data = doubles.data<double>();
  return {data.begin(), data.end()};
}

Tensor from_doubles(DType dtype, Shape shape, std::span<const double> values) {
  Tensor doubles(DType::F64, std::move(shape));
  const auto data = doubles.mutable_data<double>();
  if (data.size() != values.size()) throw InternalError("from_doubles: values do not fill the shape");
  std::copy(values.begin(), values.end(), data.begin());
  return converted(doubles, dtype);
}

Tensor from_integers(DType dtype, Shape shape, std::span<const std::int64_t> values) {
  Tensor integers(DType::S64, std::move(shape));
  const auto data = integers.mutable_data<std::int64_t>();
  if (data.size() != values.size()) throw InternalError("from_integers: values do not fill the shape");
  std::copy(values.begin(), values.end(), data.begin());
  return converted(integers, dtype);
}

std::vector<ValueType> checked_types(const Context& context) {
  const InferFunction infer = infer_function(context.node().kind);
  if (infer == nullptr) throw InternalError(cat("operator ", op_name(context.node().kind), " has no inference rule"));
  Graph scratch;
  Node node = context.node();
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    node.inputs[i] = ValueId::None;
    if (!context.has(i)) continue;
    node.inputs[i] =
        context.datum(i).is_tensor() ? scratch.add_constant("", context.datum(i).tensor()) : scratch.add_value("");
  }
  InferContext inference(scratch, node);
  infer(inference);
  return std::move(inference.output_types);
}

Shape checked_shape(const Context& context, std::size_t output) {
  const std::vector<ValueType> types = checked_types(context);
  const auto shape = types.at(output).shape ? concrete(*types.at(output).shape) : std::nullopt;
  if (!shape) throw InternalError(cat("the shape of ", op_name(context.node().kind), " is not determined"));
  if (storage_bytes(DType::F64, num_elements(*shape)) > max_tensor_bytes()) {  // before kernels make room for doubles
    throw LimitError(cat("an output of shape ", shape_text(*shape), " is larger than the tensor limit"));
  }
  return *shape;
}

bool next_index(Shape& index, const Shape& shape) {
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (++index[i] < shape[i]) return true;
    index[i] = 0;
  }
  return false;
}

Shape part(const Shape& shape, std::size_t begin) {
  return part(shape, begin, shape.size());
}

Shape part(const Shape& shape, std::size_t begin, std::size_t end) {
  return Shape(shape.begin() + static_cast<std::ptrdiff_t>(begin), shape.begin() + static_cast<std::ptrdiff_t>(end));
}

namespace {

const Tensor& single(const Tensor& tensor, std::size_t input) {
  if (tensor.size() != 1) throw ModelError(cat("input ", input, " is ", type_text(tensor), ", expected one element"));
  return tensor;
}

}  // namespace

double scalar_or(const Context& context, std::size_t input, double fallback) {
  const Tensor* tensor = context.optional_input(input);
  return tensor == nullptr ? fallback : single(*tensor, input).get_double(0);
}

std::int64_t int_or(const Context& context, std::size_t input, std::int64_t fallback) {
  const Tensor* tensor = context.optional_input(input);
  return tensor == nullptr ? fallback : single(*tensor, input).get_int(0);
}

}  // namespace adze::reference
