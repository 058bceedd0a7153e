#pragma once

#include <memory>

#include "adze/engine/steps/dense_f32.h"

namespace adze::engine {

/// The float convolution or product by kernels/spmm_f32, when so many of its weights are 0 that this is expected to be
/// faster than multiplying by them; else null.
std::unique_ptr<Step> make_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem);

/// For tuning: weights with many zeros by single ones or by blocks of eight outputs, whatever is expected. Null for
/// other weights, and where make_sparse_f32_step() does the same.
std::unique_ptr<Step> make_single_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem);
std::unique_ptr<Step> make_block_sparse_f32_step(const BindContext& context, const DenseF32Problem& problem);

}  // namespace adze::engine
