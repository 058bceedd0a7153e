#pragma once

#include <filesystem>
#include <string>

#include "adze/graph/graph.h"

namespace adze::tflite {

/// Writes a graph as a TFLite model, schema version 3, that interpreters load.
///
/// Layout   Pictures that convolutions and pools read lie with channels last (NHWC), the graph's inputs included;
///          TRANSPOSE stands only where an operator needs the other order.
/// Numbers  DequantizeLinear → operator → QuantizeLinear becomes the operator on integers, with the activation between
///          fused; weights keep their scale a channel, biases are 32-bit integers. Weights of fewer than 8 bits are
///          stored in 8. Where TFLite prescribes a scale (softmax, logistic, tanh; pools and concatenation: that of
///          their operands), a QUANTIZE stands behind or in front. Operators without an integer kernel get DEQUANTIZE
///          and QUANTIZE around them.
/// Names    Tensors are named as the values.
///
/// Throws UnsupportedError naming node and operator for what TFLite cannot say, ModelError where the file cannot be
/// written. Only the first dimension of inputs may be open.
void write(const Graph& graph, const std::filesystem::path& path);
/// The same as bytes.
std::string write_bytes(const Graph& graph);

}  // namespace adze::tflite
