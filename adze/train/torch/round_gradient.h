#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace adze::train {

/// x itself; going back, its gradient is rounded to signed integers of so many bits with one scale for the tensor, the
/// largest magnitude by 2^(bits-1) − 1, each number up or down at random so that the expected value is exact:
/// stochastic rounding, without which small gradients vanish. What is simulated is a backward pass whose layers
/// multiply integers. Sources: Gupta et al., arXiv:1502.02551 (stochastic rounding); Banner et al., arXiv:1805.11046,
/// section 5 (8 bits). The same seed gives the same result whatever the number of threads. A gradient that is not
/// finite passes unchanged.
at::Tensor round_gradient(const at::Tensor& x, int bits, std::uint64_t seed);

}  // namespace adze::train
