#include "adze/engine/reference/reference.h"

namespace adze::reference {

std::span<const KernelEntry> text_kernels() { return {}; }

}  // namespace adze::reference
