#include "adze/engine/steps/output_stage.h"

#include <algorithm>

namespace adze::engine {

StageArrays::StageArrays(const std::vector<RequantizeParameters>& by, std::vector<std::int32_t> bias, const Affine& y)
    : profile_(by.front().profile), y_(y), bias_(std::move(bias)) {
  for (const RequantizeParameters& one : by) {
    multiplier_.push_back(one.fixed.multiplier);
    shift_.push_back(one.fixed.shift);
    scale_.push_back(one.scale);
  }
  scales_below_one_ = std::all_of(scale_.begin(), scale_.end(), [](float scale) { return scale < 1.0f; });
  constexpr std::size_t margin = 16;  // kernels read whole vectors, from any first column
  const std::size_t size = by.size() + margin;
  bias_.resize(size, 0);
  multiplier_.resize(size, 0);
  shift_.resize(size, 0);
  scale_.resize(size, 0.0f);
}

StageArrays::StageArrays(const StageArrays& from, const std::vector<std::int64_t>& order)
    : profile_(from.profile_), y_(from.y_), scales_below_one_(from.scales_below_one_) {
  for (const std::int64_t column : order) {
    const auto i = static_cast<std::size_t>(std::max<std::int64_t>(0, column));
    bias_.push_back(column >= 0 ? from.bias_[i] : 0);
    multiplier_.push_back(column >= 0 ? from.multiplier_[i] : 0);
    shift_.push_back(column >= 0 ? from.shift_[i] : 0);
    scale_.push_back(column >= 0 ? from.scale_[i] : 0.0f);
  }
}

kernels::OutputStage StageArrays::stage(std::int64_t first) const {
  using kernels::OutputStage;
  const auto profile = profile_ == RoundingProfile::Tflm     ? OutputStage::Tflm
                       : profile_ == RoundingProfile::Litert ? OutputStage::Litert
                                                             : OutputStage::Onnx;
  return {profile,
          y_.zero_point,
          y_.min,
          y_.max,
          bias_.data() + first,
          multiplier_.data() + first,
          shift_.data() + first,
          scale_.data() + first,
          scales_below_one_};
}

}  // namespace adze::engine
