#pragma once

#include <cstdint>
#include <vector>

namespace adze {

/// A seeded generator with the same stream on every machine: xoshiro256** seeded by splitmix64.
/// Source  Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators, 2021
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal by the polar Box-Muller method.
  double normal();
  /// Uniform in [0, bound), without modulo bias (Lemire 2019). bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// An independent stream for a part of the work, so that order and thread count do not matter.
  Random split(std::uint64_t stream) const;

 private:
  std::uint64_t state_[4];
  double spare_ = 0.0;
  bool has_spare_ = false;
};

/// A random order of 0 … count-1 (Fisher-Yates).
std::vector<std::int64_t> random_permutation(std::int64_t count, Random& random);

}  // namespace adze
