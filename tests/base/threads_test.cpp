#include "adze/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
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

TEST(ParallelFor, MayBeCalledFromSeveralThreadsAtOnce) {
  const Threads scope(3);
  std::vector<std::thread> callers;
  std::atomic<std::int64_t> sum{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&sum] {
      for (int round = 0; round < 500; ++round) {
        std::int64_t mine[64] = {};
        parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) mine[i] += i;
        });
        for (const std::int64_t value : mine) sum += value;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 500 * 63 * 64 / 2);
}

TEST(ParallelFor, KeepsToTheMostThreadsGiven) {
  const Threads scope(8);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  for (int round = 0; round < 50; ++round) {
    parallel_for(
        64, 1,
        [&](std::int64_t, std::int64_t) {
          const std::lock_guard lock(mutex);
          ids.insert(std::this_thread::get_id());
        },
        2);
  }
  // Two at a time; the pool may have more workers, and which of them comes first differs.
  EXPECT_GE(ids.size(), 1U);
  std::set<std::thread::id> one;
  parallel_for(
      64, 1, [&](std::int64_t, std::int64_t) { one.insert(std::this_thread::get_id()); }, 1);
  EXPECT_EQ(one, std::set{std::this_thread::get_id()});
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
