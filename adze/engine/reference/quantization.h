#pragma once

#include "adze/engine/reference/reference.h"

namespace adze::reference::quantization {

/// round-half-even(scaled) + zero_point, saturated to an integer dtype. NaN gives the zero point.
std::int64_t round_into(float scaled, std::int64_t zero_point, DType dtype);

void quantize_linear(Context& context);
void dequantize_linear(Context& context);
void dynamic_quantize_linear(Context& context);
void qlinear_conv(Context& context);
void qlinear_matmul(Context& context);

}  // namespace adze::reference::quantization
