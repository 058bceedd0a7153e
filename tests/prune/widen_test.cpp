#include "adze/prune/widen.h"

#include <gtest/gtest.h>

#include "adze/prune/allocate.h"
#include "adze/prune/measuring.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

using testing::Builder;

/// A residual sum, a batch norm, flattening and a Gemm.
Graph network() {
  Builder b(4);
  const auto first = b.unary(OpKind::Relu, b.batch_norm(b.conv(b.input(3, 4), 6)));
  const auto inner = b.conv(b.unary(OpKind::Relu, b.conv(first, 5)), 6);
  const ValueId sum = b.add(OpKind::Add, {inner.value, first.value});
  const ValueId flat = b.add(OpKind::Flatten, {sum});
  return b.finish(b.gemm(flat, 6 * 16, 10));
}

Batches one_batch() {
  return {1, [](std::int64_t) {
            Random random(9);
            Tensor tensor(DType::F32, {2, 3, 4, 4});
            for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
            return std::vector<Tensor>{tensor};
          }};
}

TEST(WithCopies, ComputesWhatTheNetworkComputed) {
  const Graph graph = network();
  const Groups groups = find_groups(graph);
  ASSERT_EQ(groups.groups.size(), 2u);
  const std::vector<Selection> selections = {{0, {0, 0, 3}}, {1, {2}}};
  const Graph wide = with_copies(graph, groups, selections, 0, 1);
  EXPECT_GT(size_of(wide).macs, size_of(graph).macs);
  EXPECT_LT(relative_error(outputs_of(graph, one_batch()), outputs_of(wide, one_batch())), 1e-10);
}

TEST(WidenedTo, ComesNearTheLimit) {
  const Graph graph = network();
  const std::int64_t limit = 2 * size_of(graph).macs;
  const Widened wide = widened_to(graph, limit, 0.01, 1);
  EXPECT_GT(wide.factor, 1.2);
  EXPECT_LE(size_of(wide.graph).macs, limit);
  EXPECT_GT(size_of(wide.graph).macs, limit * 3 / 4);
}

}  // namespace
}  // namespace adze::prune
