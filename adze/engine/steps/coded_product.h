#pragma once

#include <memory>

#include "adze/engine/step.h"
#include "adze/plan/coded_weights.h"

namespace adze::engine {

// Products with coded weights (plan/coded_weights.h); null for other nodes.

/// By kernels/lowbit, in as few bits as the codes need.
std::unique_ptr<Step> bind_coded_lowbit(const BindContext& context);
/// By kernels/decoded_f32: halves, 8-bit floats, and codes into a table.
std::unique_ptr<Step> bind_coded_decoded(const BindContext& context);
/// As floats, by kernels/dense_f32.
std::unique_ptr<Step> bind_coded_expanded(const BindContext& context);

/// Is it such a product, and every operand where the steps want it?
bool is_coded_product(const BindContext& context);
CodedWeights coded_weights_of(const BindContext& context);
/// The clamp behind it.
float coded_low(const BindContext& context);
float coded_high(const BindContext& context);

}  // namespace adze::engine
