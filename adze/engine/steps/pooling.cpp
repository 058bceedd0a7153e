#include "adze/engine/step.h"

namespace adze::engine {

std::span<const BinderEntry> pooling_binders() { return {}; }

}  // namespace adze::engine
