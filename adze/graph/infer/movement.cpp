#include "adze/graph/infer.h"

namespace adze {

std::span<const InferEntry> movement_inference() { return {}; }

}  // namespace adze
