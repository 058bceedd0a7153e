#pragma once

#include <string>
#include <vector>

namespace adze::peers {

/// How two threads do when another process keeps the second core busy all the time.
struct BusyLine {
  std::string network, precision;
  double one_thread = 0, two_threads = 0;  ///< seconds, medians of the least disturbed round
  double slowdown() const { return two_threads / one_thread - 1; }
};

/// Starts a process that spins on one core, measures each network with one and with two threads by turns, and ends it.
std::vector<BusyLine> measure_busy(const std::vector<std::string>& networks, const std::vector<std::string>& precisions,
                                   const std::string& isa, double seconds);

}  // namespace adze::peers
