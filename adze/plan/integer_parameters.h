#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/numerics/quantized_arithmetic.h"

namespace adze {

// The numbers of an integer operator (graph/ops/adze.def), computed from its attributes: the one place for all
// executors. Attributes may come from files, so they are checked here: ModelError.

/// The node's "rounding" attribute.
RoundingProfile rounding_of(const Node& node);
/// x_scale and x_zero_point (unary operators, QConv, QGemm); min and max are not set.
Affine input_affine(const Node& node);
/// a_scale and a_zero_point, b_scale and b_zero_point (QAdd, QSub, QMul, QMatMul); min and max are not set.
Affine left_affine(const Node& node);
Affine right_affine(const Node& node);
/// y_scale, y_zero_point, y_min, y_max.
Affine output_affine(const Node& node);
/// y_dtype.
DType output_dtype(const Node& node);
/// QConv, QGemm, QMatMul: one per output channel (all equal when the weights have one scale). QRequantize: one.
std::vector<RequantizeParameters> requantize_parameters(const Node& node, std::int64_t channels);
/// QAdd and QSub.
QuantizedAdd quantized_add(const Node& node);
QuantizedMul quantized_mul(const Node& node);
/// QAveragePool and QReduceMean.
QuantizedMean quantized_mean(const Node& node);
QuantizedSoftmax quantized_softmax(const Node& node);

}  // namespace adze
