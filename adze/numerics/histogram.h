#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace adze {

/// How often each magnitude occurred in a stream of floats, in bounded memory.
///
/// Bins are cut from the bits of the float: sign, exponent and the upper 9 bits of the mantissa, so a bin is at most
/// 1/512 of its values wide. Kept are the 24 octaves below the largest magnitude; what is smaller shares the lowest
/// bin. The state depends only on which values were added, never on their order or on how they were batched, so that
/// merge() is exact. Exact zeros are counted apart: a rectifier makes many, and zero costs nothing under any scale.
///
/// Memory  at most 2 x 12,288 counters, whatever the number of values; one huge outlier costs no resolution elsewhere
class Histogram {
 public:
  /// The values in [low, high] that share a counter. low == high only for exact zeros.
  struct Bin {
    double low;
    double high;
    std::int64_t count;
    double center() const { return (low + high) / 2; }
  };

  void add(std::span<const float> values);
  void merge(const Histogram& other);

  std::int64_t count() const { return count_; }  ///< finite values, zeros included
  std::int64_t zeros() const { return zeros_; }
  std::int64_t non_finite() const { return non_finite_; }  ///< NaNs and infinities, counted nowhere else
  double min() const { return min_; }                      ///< 0 when empty
  double max() const { return max_; }
  /// The occupied bins in ascending order.
  std::vector<Bin> bins() const;
  /// The value below which this fraction of the values lies, interpolated inside its bin. 0 when empty.
  double quantile(double fraction) const;
  /// The share of values outside [low, high]; a bin that is cut counts in proportion.
  double fraction_outside(double low, double high) const;
  /// Counts over num_bins bins of equal width from low to high; bins that are cut are shared in proportion, values
  /// outside are left out. Zeros go to the bin that holds 0.
  std::vector<double> uniform(double low, double high, int num_bins) const;

  bool operator==(const Histogram&) const = default;

 private:
  using Counters = std::vector<std::int64_t>;

  void raise_top(std::int32_t top);

  Counters positive_, negative_;  ///< [key - lowest_]
  std::int32_t lowest_ = 0;       ///< key of the first counter: what is smaller is counted there
  std::int32_t top_ = -1;         ///< largest key so far; -1: only zeros
  std::int64_t count_ = 0;
  std::int64_t zeros_ = 0;
  std::int64_t non_finite_ = 0;
  double min_ = 0;
  double max_ = 0;
};

}  // namespace adze
