#pragma once

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// One constant scale for the whole tensor?
bool is_per_tensor(const RuleContext& context, const Node& quantization);

/// Do a DequantizeLinear and a QuantizeLinear of at most 8 bits have the same finite positive scales, zero points and
/// axis, so that the second returns the codes that the first read?
bool same_quantization(const RuleContext& context, const Node& dequantize, const Node& quantize);

}  // namespace adze::rewrite
