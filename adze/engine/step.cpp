#include "adze/engine/step.h"

#include <algorithm>
#include <array>
#include <vector>

namespace adze::engine {

std::span<const BinderEntry> binders_of(OpKind kind) {
  static const auto table = [] {
    std::array<std::vector<BinderEntry>, num_op_kinds> binders{};
    for (const auto family :
         {convolution_binders(), product_binders(), binary_f32_binders(), elementwise_binders(), quantized_binders(),
          pooling_binders(), movement_binders(), recurrent_binders(), normalization_binders()}) {
      for (const BinderEntry& entry : family) binders[static_cast<std::size_t>(entry.kind)].push_back(entry);
    }
    return binders;
  }();
  return table[static_cast<std::size_t>(kind)];
}

void run_parallel(int threads, std::int64_t count, std::int64_t grain, RangeBody body) {
  parallel_for(count, grain, body, std::max(1, threads));
}

}  // namespace adze::engine
