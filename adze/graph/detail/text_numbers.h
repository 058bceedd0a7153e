#pragma once

#include <cstdint>

#include "adze/graph/detail/text_lexer.h"
#include "adze/numerics/tensor.h"

namespace adze::detail {

// All throw ModelError with line and column.

std::int64_t to_int(const Token& token);
std::int64_t parse_int(Lexer& lexer);
/// A number, inf, or nan(0x…) with the bits.
float parse_float(Lexer& lexer);
/// What follows "=": a list of count elements or base64 "…". Memory stays bounded by the text.
Tensor parse_tensor_data(Lexer& lexer, DType dtype, const Shape& shape, std::int64_t count);

}  // namespace adze::detail
