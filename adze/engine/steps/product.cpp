#include "adze/engine/step.h"

namespace adze::engine {

std::span<const BinderEntry> product_binders() { return {}; }

}  // namespace adze::engine
