#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  Transpose → Transpose; Transpose → elementwise operators, QuantizeLinear or DequantizeLinear of one scale,
///         Concat, Pad, Slice, Softmax, reductions and Squeeze with constant axes; Transpose → Gemm or MatMul
/// After   one Transpose or none; the Transpose behind the operator, whose axes and constants are permuted; a Gemm that
///         reads its operand transposed
/// When    nothing else reads the transposed value. A Transpose only moves towards the outputs, so this comes to an
/// end;
///         operators with several inputs let it through when all inputs are transposed alike or constant.
/// Exact, except sums taken in another order by reductions, Gemm and MatMul: Rounding
std::vector<Rule> cancel_transposes_rules();

}  // namespace adze::rewrite
