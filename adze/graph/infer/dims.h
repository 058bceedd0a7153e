#pragma once

#include <optional>

#include "adze/graph/infer.h"

namespace adze {

// Arithmetic on dimensions that may be symbols. Products of symbols are symbols again, written with sorted factors
// ("8*batch*sequence"), so that equal products have equal names. What cannot be said is an unknown Dim.
Dim add_dims(const Dim& a, const Dim& b);
Dim subtract_dims(const Dim& a, const Dim& b);
Dim multiply_dims(const Dim& a, const Dim& b);
/// Numbers divide as integers; symbols only when the division has no rest.
Dim divide_dims(const Dim& a, const Dim& b);
/// The product of all dimensions; 1 for none.
Dim multiply_all(const SymbolicShape& shape);

/// Does the dimension say anything: a number or a symbol?
bool says_something(const Dim& dim);

/// The dims of an input of rank 0 or 1; nothing when its rank is higher or not known.
std::optional<SymbolicShape> list_dims(const InferContext& context, std::size_t input);

/// The dtype of these inputs, which must be one; Undefined when none is known.
DType common_dtype(const InferContext& context, std::size_t first, std::size_t count);

/// An attribute axis made non-negative; ModelError when out of range.
std::int64_t axis_of(const InferContext& context, std::int64_t rank);

/// Axes made non-negative; ModelError when one is out of range or named twice.
std::vector<std::int64_t> normalize_axes(std::vector<std::int64_t> axes, std::int64_t rank);

/// Throws ModelError unless the text attribute has one of these values.
void require_choice(const InferContext& context, std::string_view attribute,
                    std::initializer_list<std::string_view> choices);

}  // namespace adze
