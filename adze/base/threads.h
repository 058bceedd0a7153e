#pragma once

#include <cstdint>
#include <functional>

namespace adze {

/// Number of threads that parallel_for may use: a whole-process setting, 0 = all the cores this process may use.
void set_num_threads(int count);
int num_threads();

/// Calls body(begin, end) on disjoint pieces of [0, count) from up to num_threads() threads, and waits.
/// Pieces hold at least grain items. The first exception is thrown on the caller's thread after all have ended.
/// Results must not depend on how the range was cut. Calls from within a body run on that thread alone.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

}  // namespace adze
