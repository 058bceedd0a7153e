#include "adze/emit/c/scratch.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace adze::emit {

std::int64_t place_scratch(const Graph& graph, const Plan& plan, std::int32_t step, std::int64_t bytes) {
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const ValuePlan& value = plan.at(static_cast<ValueId>(i));
    if (!value.in_arena() || value.bytes <= 0) continue;
    const ValuePlan& storage = plan.at(value.storage);
    if (storage.first <= step && step <= storage.last) taken.emplace_back(value.offset, value.offset + value.bytes);
  }
  std::sort(taken.begin(), taken.end());
  std::int64_t at = 0;
  for (const auto& [begin, end] : taken) {
    if (at + bytes <= begin) break;
    at = std::max(at, (end + 7) / 8 * 8);
  }
  return at;
}

}  // namespace adze::emit
