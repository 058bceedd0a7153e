#include "adze/graph/infer.h"

namespace adze {

std::span<const InferEntry> quantization_inference() { return {}; }

}  // namespace adze
