#include "adze/engine/step.h"

#include <algorithm>
#include <array>

namespace adze::engine {

Binder binder_of(OpKind kind) {
  static const auto table = [] {
    std::array<Binder, num_op_kinds> binders{};
    for (const auto family : {convolution_binders(), product_binders(), elementwise_binders(), quantized_binders(),
                              pooling_binders(), movement_binders(), normalization_binders()}) {
      for (const BinderEntry& entry : family) binders[static_cast<std::size_t>(entry.kind)] = entry.bind;
    }
    return binders;
  }();
  return table[static_cast<std::size_t>(kind)];
}

void run_parallel(int threads, std::int64_t count, std::int64_t grain, RangeBody body) {
  parallel_for(count, grain, body, std::max(1, threads));
}

}  // namespace adze::engine
