#include "adze/engine/steps/output_stage.h"

#include <algorithm>

namespace adze::engine {

namespace {

constexpr std::size_t margin = 16;  // kernels read whole vectors, from any first column

}  // namespace

StageArrays::StageArrays(const std::vector<RequantizeParameters>& by, const std::vector<std::int32_t>& bias,
                         const Affine& y)
    : profile_(by.front().profile),
      y_(y),
      bias_(by.size() + margin),
      multiplier_(by.size() + margin),
      shift_(by.size() + margin),
      scale_(by.size() + margin) {
  std::copy(bias.begin(), bias.end(), bias_.data());
  for (std::size_t i = 0; i < by.size(); ++i) {
    multiplier_.data()[i] = by[i].fixed.multiplier;
    shift_.data()[i] = by[i].fixed.shift;
    scale_.data()[i] = by[i].scale;
  }
  scales_below_one_ = std::all_of(by.begin(), by.end(), [](const auto& one) { return one.scale < 1.0f; });
}

StageArrays::StageArrays(const StageArrays& from, const std::vector<std::int64_t>& order)
    : profile_(from.profile_),
      y_(from.y_),
      bias_(order.size()),
      multiplier_(order.size()),
      shift_(order.size()),
      scale_(order.size()),
      scales_below_one_(from.scales_below_one_) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] < 0) continue;
    bias_.data()[i] = from.bias_.data()[order[i]];
    multiplier_.data()[i] = from.multiplier_.data()[order[i]];
    shift_.data()[i] = from.shift_.data()[order[i]];
    scale_.data()[i] = from.scale_.data()[order[i]];
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
