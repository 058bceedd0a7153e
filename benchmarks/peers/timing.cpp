#include "benchmarks/peers/timing.h"

#include <ctime>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

namespace adze::peers {

namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void note(Times& times, std::vector<double>& samples) {
  if (samples.empty()) return;
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  const double least = *std::min_element(samples.begin(), samples.end());
  const bool first = times.runs == 0;
  times.minimum = first ? least : std::min(times.minimum, least);
  times.median = first ? *middle : std::min(times.median, *middle);
  times.runs += static_cast<int>(samples.size());
}

void take_turn(Contestant& contestant, double seconds) {
  constexpr int least_runs = 3;
  const double warm_until = seconds_of(CLOCK_MONOTONIC) + 0.1 * seconds;
  do {
    contestant.run();
  } while (seconds_of(CLOCK_MONOTONIC) < warm_until);
  std::vector<double> cpu, wall;
  const double until = seconds_of(CLOCK_MONOTONIC) + seconds;
  while (seconds_of(CLOCK_MONOTONIC) < until || wall.size() < least_runs) {
    const double wall_begin = seconds_of(CLOCK_MONOTONIC), cpu_begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    contestant.run();
    cpu.push_back(seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_begin);
    wall.push_back(seconds_of(CLOCK_MONOTONIC) - wall_begin);
  }
  note(contestant.cpu, cpu);
  note(contestant.wall, wall);
}

}  // namespace

void measure_interleaved(std::vector<Contestant>& contestants, double seconds, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (Contestant& contestant : contestants) {
      // Threads of the one before may still be spinning for work.
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      take_turn(contestant, seconds / rounds);
    }
  }
}

}  // namespace adze::peers
