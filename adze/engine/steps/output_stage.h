#pragma once

#include <cstdint>
#include <vector>

#include "adze/engine/kernels/output_stage.h"
#include "adze/numerics/requantize.h"

namespace adze::engine {

/// The arrays of an OutputStage, owned. Filled up to a multiple of 16 columns.
class StageArrays {
 public:
  StageArrays(const std::vector<RequantizeParameters>& by, std::vector<std::int32_t> bias, const Affine& y);

  /// The entries of another, entry i that of column order[i]; -1: none.
  StageArrays(const StageArrays& from, const std::vector<std::int64_t>& order);

  /// The stage for columns from first on.
  kernels::OutputStage stage(std::int64_t first = 0) const;

 private:
  RoundingProfile profile_;
  Affine y_;
  std::vector<std::int32_t> bias_, multiplier_, shift_;
  std::vector<float> scale_;
  bool scales_below_one_ = false;
};

}  // namespace adze::engine
