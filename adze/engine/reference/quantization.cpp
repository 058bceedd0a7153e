#include "adze/engine/reference/reference.h"

namespace adze::reference {

std::span<const KernelEntry> quantization_kernels() { return {}; }

}  // namespace adze::reference
