#include "adze/engine/step.h"

namespace adze::engine {

std::span<const BinderEntry> normalization_binders() { return {}; }

}  // namespace adze::engine
