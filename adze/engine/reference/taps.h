#pragma once

#include <vector>

#include "adze/graph/window.h"

namespace adze::reference {

/// One kernel element of a window that lies on an input element: their offsets, row-major over the spatial dimensions.
struct Tap {
  std::int64_t input;
  std::int64_t kernel;
};

/// The taps of the window at a position, in the kernel's order; padding is left out. window.pads_* must be resolved.
void taps_at(const Window& window, const Shape& input, const Shape& position, std::vector<Tap>& taps);

/// Kernel elements of the window at a position that lie on the input or its padding.
std::int64_t padded_count(const Window& window, const Shape& input, const Shape& position);

}  // namespace adze::reference
