#include "adze/engine/step.h"

namespace adze::engine {

std::span<const BinderEntry> movement_binders() { return {}; }

}  // namespace adze::engine
