#include "adze/engine/step.h"

#include <algorithm>
#include <array>

#include "adze/base/threads.h"

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

void run_parallel(int threads, std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (threads <= 1 || count <= grain) {
    if (count > 0) body(0, count);
    return;
  }
  parallel_for(count, std::max(grain, (count + threads - 1) / threads), body);
}

}  // namespace adze::engine
