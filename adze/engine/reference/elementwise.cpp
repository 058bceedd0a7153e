#include "adze/engine/reference/reference.h"

namespace adze::reference {

std::span<const KernelEntry> elementwise_kernels() { return {}; }

}  // namespace adze::reference
