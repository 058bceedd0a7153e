#pragma once

#include <span>

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// At most 64 kernels of a convolution, the first ones: whole filters where they see one channel or a picture's three
/// colours, else the first eight input channels of the first eight outputs. Empty for 1×1 kernels, for products, and
/// for kernels of more than 32 by 32. after: what the codes stand for, in the layout of before.
KernelSheet kernel_sheet(const Node& node, const Tensor& before, std::span<const float> after);

}  // namespace adze::quantize
