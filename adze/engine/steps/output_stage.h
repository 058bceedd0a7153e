#pragma once

#include <cstdint>
#include <vector>

#include "adze/engine/kernels/output_stage.h"
#include "adze/numerics/requantize.h"

namespace adze::engine {

/// Zeros to be filled, from a cache line's begin on: vectors read from it never cross lines.
template <typename T>
class LineArray {
 public:
  explicit LineArray(std::size_t count) : lines_((count + per_line - 1) / per_line) {}
  T* data() { return reinterpret_cast<T*>(lines_.data()); }
  const T* data() const { return reinterpret_cast<const T*>(lines_.data()); }

 private:
  static constexpr std::size_t per_line = 64 / sizeof(T);
  struct alignas(64) Line {
    T entries[per_line] = {};
  };
  std::vector<Line> lines_;
};

/// The arrays of an OutputStage, owned. Filled up to a multiple of 16 columns.
class StageArrays {
 public:
  StageArrays(const std::vector<RequantizeParameters>& by, const std::vector<std::int32_t>& bias, const Affine& y);

  /// The entries of another, entry i that of column order[i]; -1: none.
  StageArrays(const StageArrays& from, const std::vector<std::int64_t>& order);

  /// The stage for columns from first on.
  kernels::OutputStage stage(std::int64_t first = 0) const;

 private:
  RoundingProfile profile_;
  Affine y_;
  LineArray<std::int32_t> bias_, multiplier_, shift_;
  LineArray<float> scale_;
  bool scales_below_one_ = false;
};

}  // namespace adze::engine
