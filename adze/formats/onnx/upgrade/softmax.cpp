#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// Before opset 13, Softmax, LogSoftmax and Hardmax saw their input as a matrix, split at axis (1 when left out):
///
///   Softmax-1(x, axis)  →  Reshape(Softmax(Flatten(x, axis), -1), Shape(x))
///
/// At the last axis the two meanings agree.
void matrix_softmax(Upgrade& upgrade) {
  const std::int64_t axis = upgrade.take_int("axis").value_or(1);
  const auto rank = upgrade.rank(0);
  upgrade.node.set("axis", std::int64_t{-1});
  if (axis == -1 || (rank && *rank > 0 && axis == *rank - 1)) return;
  const ValueId input = upgrade.node.inputs.at(0);
  const auto& declared = upgrade.type(0).shape;
  const auto known = declared ? concrete(*declared) : std::nullopt;
  const ValueId shape = known ? upgrade.constant("shape", *known) : upgrade.add(OpKind::Shape, {input}, {}, "shape");
  upgrade.set_input(0, upgrade.add(OpKind::Flatten, {input}, {{"axis", axis}}, "flatten"));
  upgrade.insert_after(OpKind::Reshape, 0, {shape}, {}, "reshape");
}

constexpr UpgradeRule rules[] = {
    {OpKind::Softmax, 1, 12, matrix_softmax},
    {OpKind::LogSoftmax, 1, 12, matrix_softmax},
    {OpKind::Hardmax, 1, 12, matrix_softmax},
};

}  // namespace

std::span<const UpgradeRule> softmax_upgrades() {
  return rules;
}

}  // namespace adze::onnx
