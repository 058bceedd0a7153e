#include "adze/engine/kernels/interleave/interleave.h"

#include <gtest/gtest.h>

#include <vector>

namespace adze {
namespace {

TEST(Interleave, PutsPlanesSideBySide) {
  for (const kernels::InterleaveKernel& kernel : kernels::interleave_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    for (const std::int64_t planes : {1, 2, 3, 4, 7}) {
      for (std::int64_t count = 1; count < 70; count += 3) {
        std::vector<std::uint8_t> x, y(static_cast<std::size_t>(planes * count));
        for (std::int64_t i = 0; i < planes * count; ++i) x.push_back(static_cast<std::uint8_t>(i * 7));
        kernel.run(x.data(), planes, count, y.data());
        for (std::int64_t p = 0; p < count; ++p) {
          for (std::int64_t c = 0; c < planes; ++c) {
            ASSERT_EQ(y[static_cast<std::size_t>(p * planes + c)], x[static_cast<std::size_t>(c * count + p)])
                << kernel.name << " " << planes << " " << count;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace adze
