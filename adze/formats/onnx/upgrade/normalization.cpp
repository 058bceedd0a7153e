#include "adze/base/text.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// Statistics for each element of [C, H, W …] instead of each channel:
///
///   BatchNormalization-1(x, scale, bias, mean, var) { spatial = 0 }
///     →  Add(Mul(Div(Sub(x, mean), Sqrt(Add(var, epsilon))), scale), bias)
void normalize_elements(Upgrade& upgrade) {
  const auto inputs = upgrade.node.inputs;
  if (inputs.size() != 5) throw ModelError(cat("has ", inputs.size(), " inputs, expected 5"));
  const float epsilon = upgrade.take_float("epsilon").value_or(1e-5f);
  const ValueId small = upgrade.number_like("epsilon", epsilon, inputs[4]);
  const ValueId shifted = upgrade.add(OpKind::Add, {inputs[4], small}, {}, "variance");
  const ValueId deviation = upgrade.add(OpKind::Sqrt, {shifted}, {}, "deviation");
  const ValueId centred = upgrade.add(OpKind::Sub, {inputs[0], inputs[3]}, {}, "centred");
  const ValueId normal = upgrade.add(OpKind::Div, {centred, deviation}, {}, "normal");
  const ValueId scaled = upgrade.add(OpKind::Mul, {normal, inputs[1]}, {}, "scaled");
  upgrade.node.kind = OpKind::Add;
  upgrade.node.inputs = {scaled, inputs[2]};
  upgrade.node.attributes.clear();
}

/// Before opset 14 a BatchNormalization was in training mode when it said so (is_test = 0, until opset 6) or had more
/// than one output (until 13). Its saved_mean and saved_var outputs have no counterpart now.
void batch_normalization_mode(Upgrade& upgrade) {
  const auto is_test = upgrade.take_int("is_test");
  const bool per_element = upgrade.take_int("spatial").value_or(1) == 0;
  bool wants_statistics = false;
  for (std::size_t i = 1; i < upgrade.node.outputs.size(); ++i) {
    wants_statistics = wants_statistics || upgrade.node.outputs[i] != ValueId::None;
  }
  const bool training = is_test.value_or(0) == 0 && wants_statistics;
  // What later opsets do not compute goes; verify() names whoever reads it.
  const std::size_t kept = training ? 3 : 1;
  if (upgrade.node.outputs.size() > kept) upgrade.node.outputs.resize(kept);
  if (training) upgrade.node.set("training_mode", std::int64_t{1});
  if (!per_element) return;
  if (training) throw UnsupportedError("training with statistics per element (spatial = 0) is not supported");
  upgrade.take_float("momentum");
  normalize_elements(upgrade);
}

/// GroupNormalization of opsets 18 to 20 had a scale and a bias a group; now a channel: each value is repeated.
void group_to_channel(Upgrade& upgrade) {
  const auto& shape = upgrade.type(0).shape;
  const auto groups = upgrade.peek_int("num_groups");
  if (!groups || *groups <= 0) throw ModelError("attribute num_groups must be positive");
  if (!shape || shape->size() < 2 || !(*shape)[1].is_known()) {
    throw UnsupportedError(cat("in opset ", upgrade.opset, " this operator needs a known number of channels"));
  }
  const std::int64_t channels = (*shape)[1].value;
  if (channels % *groups != 0) throw ModelError(cat(channels, " channels do not make ", *groups, " groups"));
  const std::int64_t each = channels / *groups;
  if (each == 1) return;
  for (std::size_t i = 1; i <= 2; ++i) {
    const std::string what = i == 1 ? "scale" : "bias";
    const ValueId column = upgrade.constant(cat(what, "_column"), {*groups, 1});
    const ValueId repeats = upgrade.constant(cat(what, "_repeats"), {1, each});
    const ValueId flat = upgrade.constant(cat(what, "_flat"), {channels});
    const ValueId tall = upgrade.add(OpKind::Reshape, {upgrade.node.input(i), column}, {}, cat(what, "_tall"));
    const ValueId tiled = upgrade.add(OpKind::Tile, {tall, repeats}, {}, cat(what, "_tiled"));
    upgrade.set_input(i, upgrade.add(OpKind::Reshape, {tiled, flat}, {}, what));
  }
}

/// Dropout-1 and -6: inactive when is_test is set; a model that says nothing is taken as exported for inference.
void dropout_is_test(Upgrade& upgrade) {
  const auto is_test = upgrade.take_int("is_test");
  if (is_test && *is_test == 0) {
    upgrade.set_input(2, upgrade.constant("training", Tensor::scalar<bool>(true)));
  }
}

/// Before opset 12 the ratio was an attribute.
void dropout_ratio(Upgrade& upgrade) {
  const float ratio = upgrade.take_float("ratio").value_or(0.5f);
  upgrade.set_input(1, upgrade.constant("ratio", Tensor::scalar<float>(ratio)));
}

/// Before opset 10 the mask had the type of the data.
void dropout_mask(Upgrade& upgrade) {
  if (upgrade.node.output(1) == ValueId::None) return;
  const DType dtype = upgrade.type(0).dtype;
  if (dtype == DType::Undefined) {
    upgrade.insert_after(OpKind::CastLike, 1, {upgrade.node.inputs.at(0)}, {}, "mask");
  } else {
    upgrade.insert_after(OpKind::Cast, 1, {}, {{"to", static_cast<std::int64_t>(dtype)}}, "mask");
  }
}

constexpr UpgradeRule rules[] = {
    {OpKind::BatchNormalization, 1, 13, batch_normalization_mode},
    {OpKind::GroupNormalization, 18, 20, group_to_channel},
    {OpKind::Dropout, 1, 6, dropout_is_test},
    {OpKind::Dropout, 1, 11, dropout_ratio},
    {OpKind::Dropout, 1, 9, dropout_mask},
};

}  // namespace

std::span<const UpgradeRule> normalization_upgrades() {
  return rules;
}

}  // namespace adze::onnx
