#include <algorithm>

#include "adze/base/text.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// Upsample and Resize-10 place output x at input x / scale and round down (when shrinking: up).
void set_asymmetric(Upgrade& upgrade, bool shrinks) {
  if (const auto mode = upgrade.take_string("mode")) {
    upgrade.node.set("mode", *mode == "bilinear" ? std::string("linear") : *mode);
  }
  upgrade.node.set("coordinate_transformation_mode", std::string("asymmetric"));
  upgrade.node.set("nearest_mode", std::string(shrinks ? "ceil" : "floor"));
}

/// Upsample: scales as height_scale and width_scale (opset 1), attribute (7) or input (9) → Resize.
void upsample_to_resize(Upgrade& upgrade) {
  upgrade.node.kind = OpKind::Resize;
  set_asymmetric(upgrade, false);
  ValueId scales = upgrade.node.input(1);
  if (const auto listed = upgrade.take_floats("scales")) {
    scales = upgrade.constant("scales", Tensor::from<float>({static_cast<std::int64_t>(listed->size())}, *listed));
  } else if (upgrade.node.has("height_scale") || upgrade.node.has("width_scale")) {
    const float height = upgrade.take_float("height_scale").value_or(1);
    const float width = upgrade.take_float("width_scale").value_or(1);
    scales = upgrade.constant("scales", Tensor::from<float>({4}, {1, 1, height, width}));
  }
  if (scales == ValueId::None) throw ModelError("scales are missing");
  upgrade.node.inputs = {upgrade.node.inputs.at(0), ValueId::None, scales};
}

/// Resize-10(x, scales) → Resize(x, roi, scales), asymmetric.
void resize_10(Upgrade& upgrade) {
  const ValueId scales = upgrade.node.input(1);
  if (scales == ValueId::None) throw ModelError("input 1 is left out, but required");
  bool shrinks = false;
  if (const Tensor* factors = upgrade.graph.constant(scales); factors != nullptr && is_float(factors->dtype())) {
    const auto values = to_floats(*factors);
    shrinks = std::all_of(values.begin(), values.end(), [](float f) { return f <= 1; }) &&
              std::any_of(values.begin(), values.end(), [](float f) { return f < 1; });
  }
  set_asymmetric(upgrade, shrinks);
  upgrade.node.inputs = {upgrade.node.inputs.at(0), ValueId::None, scales};
}

/// Resize of opsets 11 and 12 wanted all inputs; empty tensors stood for absent ones.
void resize_empty_inputs(Upgrade& upgrade) {
  for (std::size_t i = 1; i < upgrade.node.inputs.size(); ++i) {
    const Tensor* tensor = upgrade.graph.constant(upgrade.node.inputs[i]);
    if (tensor != nullptr && tensor->empty()) upgrade.node.inputs[i] = ValueId::None;
  }
}

/// RoiAlign before 16 did not shift by half a pixel.
void roi_align_mode(Upgrade& upgrade) {
  upgrade.node.set("coordinate_transformation_mode", std::string("output_half_pixel"));
}

/// GridSample before 20 called its modes bilinear and bicubic.
void grid_sample_mode(Upgrade& upgrade) {
  const std::string mode = upgrade.take_string("mode").value_or("bilinear");
  upgrade.node.set("mode", mode == "bilinear"  ? std::string("linear")
                           : mode == "bicubic" ? std::string("cubic")
                                               : mode);
}

constexpr UpgradeRule rules[] = {
    {OpKind::Upsample, 1, 21, upsample_to_resize},  {OpKind::Resize, 10, 10, resize_10},
    {OpKind::Resize, 11, 21, resize_empty_inputs},  {OpKind::RoiAlign, 10, 15, roi_align_mode},
    {OpKind::GridSample, 16, 19, grid_sample_mode},
};

}  // namespace

std::span<const UpgradeRule> resize_upgrades() {
  return rules;
}

}  // namespace adze::onnx
