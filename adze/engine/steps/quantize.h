#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

/// Between f32 and bytes, with one scale or one for each index of an axis.
std::unique_ptr<Step> bind_quantize_linear(const BindContext& context);
std::unique_ptr<Step> bind_dequantize_linear(const BindContext& context);
/// f32 to u8 by the range that the numbers turn out to have.
std::unique_ptr<Step> bind_dynamic_quantize(const BindContext& context);

}  // namespace adze::engine
