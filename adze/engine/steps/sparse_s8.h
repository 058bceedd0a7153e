#pragma once

#include "adze/engine/steps/convolution_s8.h"

namespace adze::engine {

/// The convolution or product of bytes by kernels/spmm_s8, when so many of its weights are 0 that this is expected to
/// be faster than multiplying by them; else null.
std::unique_ptr<Step> make_sparse_s8_step(const BindContext& context, const ConvS8Problem& problem);

/// For tuning: what else could run weights with many zeros. Null for other weights, and where what is expected to be
/// fastest does the same.
std::unique_ptr<Step> make_unexpected_dense_s8_step(const BindContext& context, const ConvS8Problem& problem);
std::unique_ptr<Step> make_single_sparse_s8_step(const BindContext& context, const ConvS8Problem& problem);
std::unique_ptr<Step> make_block_sparse_s8_step(const BindContext& context, const ConvS8Problem& problem);

}  // namespace adze::engine
