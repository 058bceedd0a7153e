#pragma once

#include <functional>
#include <string>

#include "adze/emit/c/overlap.h"

namespace adze::emit {

/// Instructions of a convolution or pool, roughly, when it computes so many rows a call (0: all of them): what choosing
/// groups of rows weighs against memory. From counting the kernels' loops; products counts those of one output number.
std::function<double(std::int64_t band)> window_work(const std::string& kernel, const WindowWalk& walk,
                                                     std::int64_t products);

/// The same of a layer that works element by element: the calls cost nothing of note.
std::function<double(std::int64_t band)> element_work(double instructions);

}  // namespace adze::emit
