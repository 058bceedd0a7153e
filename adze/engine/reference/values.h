#pragma once

#include <span>
#include <vector>

#include "adze/engine/reference/reference.h"

namespace adze::reference {

/// Reference kernels mostly compute in double and round once at the end: few instantiations, and an oracle that is more
/// exact than what it judges.
std::vector<double> to_doubles(const Tensor& tensor);
/// Rounded to dtype; integers truncate. Throws InternalError when values do not fill the shape.
Tensor from_doubles(DType dtype, Shape shape, std::span<const double> values);
Tensor from_integers(DType dtype, Shape shape, std::span<const std::int64_t> values);

/// What the node's inference rule says of its outputs, given the actual inputs as constants. Runs every check of
/// shapes and attributes that inference makes, so kernels do not repeat them.
std::vector<ValueType> checked_types(const Context& context);
/// Shape of one output by checked_types(); InternalError when inference does not determine it.
Shape checked_shape(const Context& context, std::size_t output = 0);

/// Steps a row-major multi-index through shape; false after the last one. Start with zeros and only when the shape has
/// elements.
bool next_index(Shape& index, const Shape& shape);
/// Dimensions from begin on (to end, when given).
Shape part(const Shape& shape, std::size_t begin);
Shape part(const Shape& shape, std::size_t begin, std::size_t end);

/// The value of a one-element input, or fallback when it is absent. Throws ModelError when it has several elements.
double scalar_or(const Context& context, std::size_t input, double fallback);
std::int64_t int_or(const Context& context, std::size_t input, std::int64_t fallback);

}  // namespace adze::reference
