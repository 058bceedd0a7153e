#pragma once

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// Stores the weights of layers in any number format of at most 8 bits, or as f16 or bf16; computation stays in float.
/// Parameters (scales, levels) are fitted with least squared error, scales for each output channel unless
/// options.weights says otherwise, those of block formats (mxfp4 …) along the inputs of each output channel.
///
/// What the file holds is standard ONNX: f16 and bf16 behind a Cast; other codes as u4 or u8 indices into a table of
/// what they stand for (Gather), times the scales (Mul); scales of block formats as 8-bit exponents. Throws UsageError
/// for formats that cannot be stored so.
QuantizeOutcome quantize_weight_format(Graph graph, const PtqOptions& options);

/// Throws UsageError with what could be meant.
void check_weight_format(std::string_view name);

}  // namespace adze::quantize
