#include "adze/engine/step.h"

namespace adze::engine {

std::span<const BinderEntry> convolution_binders() { return {}; }

}  // namespace adze::engine
