#include "adze/engine/reference/reference.h"

namespace adze::reference {

std::span<const KernelEntry> control_kernels() { return {}; }

}  // namespace adze::reference
