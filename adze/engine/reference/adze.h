#pragma once

#include <span>
#include <vector>

#include "adze/engine/reference/reference.h"

namespace adze::reference::integer {

/// Integers of a tensor, widened.
std::vector<std::int32_t> widened(const Tensor& tensor);
/// A tensor of dtype from values that fit it.
Tensor narrowed(DType dtype, Shape shape, std::span<const std::int32_t> values);

// Kernels of domain adze, formulas in graph/ops/adze.def; the table is in adze.cpp.
void coded_product(Context& context);
void q_conv(Context& context);
void q_gemm(Context& context);
void q_matmul(Context& context);
void q_add(Context& context);
void q_mul(Context& context);
void q_average_pool(Context& context);
void q_reduce_mean(Context& context);
void q_softmax(Context& context);
void q_table(Context& context);
void q_requantize(Context& context);

}  // namespace adze::reference::integer
