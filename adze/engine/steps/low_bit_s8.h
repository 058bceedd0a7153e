#pragma once

#include <memory>

#include "adze/engine/steps/convolution_s8.h"

namespace adze::engine {

/// Products of a few rows of bytes with a large matrix whose numbers fit 4 or 2 bits: such products wait for weights,
/// so these are kept packed. The bytes are those of make_dense_s8_step. Null where that is not worth it, or not exact.
std::unique_ptr<Step> make_low_bit_s8_step(const BindContext& context, const ConvS8Problem& problem);

}  // namespace adze::engine
