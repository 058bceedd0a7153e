#include "adze/engine/step.h"

namespace adze::engine {

std::span<const BinderEntry> elementwise_binders() { return {}; }

}  // namespace adze::engine
