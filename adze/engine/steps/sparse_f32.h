#pragma once

#include <memory>

#include "adze/engine/steps/dense_f32.h"

namespace adze::engine {

/// The float convolution or product by kernels/spmm_f32, when so many of its weights are 0 that this is expected to be
/// faster than multiplying by them; else null.
std::unique_ptr<Step> make_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem);

}  // namespace adze::engine
