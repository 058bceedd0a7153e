#pragma once

#include <functional>
#include <vector>

namespace adze::peers {

/// Times of one way of running, in seconds. The median is that of the least disturbed round.
struct Times {
  double minimum = 0, median = 0;
  int runs = 0;
};

/// What is measured against each other, and how it went.
struct Contestant {
  std::function<void()> run;
  Times cpu;  ///< of the calling thread: with one thread the latency, less what other processes took
  Times wall;
};

/// Runs the contestants by turns, round after round, for seconds each in all. Runs that warm up again after the other
/// one's turn do not count.
void measure_interleaved(std::vector<Contestant>& contestants, double seconds, int rounds = 8);

}  // namespace adze::peers
