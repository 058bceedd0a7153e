#include "adze/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace adze {
namespace {

struct Threads {
  explicit Threads(int count) { set_num_threads(count); }
  ~Threads() { set_num_threads(0); }
};

TEST(ParallelFor, CoversEveryIndexOnce) {
  for (const int threads : {1, 2, 4}) {
    const Threads scope(threads);
    for (const std::int64_t count : {0, 1, 7, 1000, 10007}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
      parallel_for(count, 3, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      for (const auto& times : seen) ASSERT_EQ(times, 1);
    }
  }
}

TEST(ParallelFor, HandsOutPiecesOfAtLeastTheGrain) {
  const Threads scope(4);
  std::atomic<int> small{0};
  parallel_for(1000, 100, [&](std::int64_t begin, std::int64_t end) {
    if (end - begin < 100 && end != 1000) ++small;
  });
  EXPECT_EQ(small, 0);
}

TEST(ParallelFor, ThrowsTheBodysExceptionAndGoesOnWorking) {
  for (const int threads : {1, 4}) {
    const Threads scope(threads);
    EXPECT_THROW(parallel_for(100, 1,
                              [](std::int64_t begin, std::int64_t) {
                                if (begin >= 0) throw std::runtime_error("no");
                              }),
                 std::runtime_error);
    std::atomic<std::int64_t> sum{0};
    parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
    EXPECT_EQ(sum, 100);
  }
}

TEST(ParallelFor, RunsNestedCallsOnTheirOwnThread) {
  const Threads scope(4);
  std::atomic<std::int64_t> sum{0};
  parallel_for(16, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      parallel_for(10, 1, [&](std::int64_t b, std::int64_t e) { sum += e - b; });
    }
  });
  EXPECT_EQ(sum, 160);
}

}  // namespace
}  // namespace adze
