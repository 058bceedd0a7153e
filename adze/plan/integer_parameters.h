#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/numerics/quantized_arithmetic.h"
#include "adze/numerics/quantized_s16.h"

namespace adze {

// The numbers of an integer operator (graph/ops/adze.def), computed from its attributes: the one place for all
// executors. Attributes may come from files, so they are checked here: ModelError.
//
// Activations of 16 bits (s16, zero point 0, inputs and output alike): QConv and QGemm with a bias of s64 or without
// one, and QMatMul, add up in 64 bits and end in requantize_wide; with a bias of s32 they are as for 8 bits. QAdd and
// QSub have 15 fraction bits, QSoftmax is QuantizedSoftmaxS16, the table of QTable has 513 entries for interpolate().

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
/// Do the sums of a QConv, QGemm or QMatMul have 64 bits? bias: its type, Undefined without one.
bool sums_are_wide(const Node& node, DType x, DType bias);
/// QConv, QGemm, QMatMul: one per output channel (all equal when the weights have one scale). QRequantize: one.
std::vector<RequantizeParameters> requantize_parameters(const Node& node, std::int64_t channels);
/// QAdd and QSub.
QuantizedAdd quantized_add(const Node& node);
QuantizedMul quantized_mul(const Node& node);
/// QAveragePool and QReduceMean.
QuantizedMean quantized_mean(const Node& node);
/// Of an output of 8 bits.
QuantizedSoftmax quantized_softmax(const Node& node);
/// Of an output of 16 bits.
QuantizedSoftmaxS16 quantized_softmax_s16(const Node& node);

}  // namespace adze
