#include "adze/engine/reference/reference.h"

namespace adze::reference {

std::span<const KernelEntry> training_kernels() { return {}; }

}  // namespace adze::reference
