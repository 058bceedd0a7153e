#include <cmath>

#include "adze/base/text.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// The recurrent operators of opset 1 had a flag for what is told by asking for the output.
void drop_output_sequence(Upgrade& upgrade) {
  upgrade.take_int("output_sequence");
}

/// LpPool-1 and GlobalLpPool-1 gave p as a float.
void norm_order(Upgrade& upgrade) {
  const Attribute* p = upgrade.node.find("p");
  if (p == nullptr || !std::holds_alternative<float>(*p)) return;
  const float order = *upgrade.take_float("p");
  if (!(order >= 1 && order <= 64) || std::floor(order) != order) {
    throw UnsupportedError(cat("attribute p is ", order, ", expected a whole number from 1 to 64"));
  }
  upgrade.node.set("p", static_cast<std::int64_t>(order));
}

/// Scatter was renamed in opset 11.
void scatter_elements(Upgrade& upgrade) {
  upgrade.node.kind = OpKind::ScatterElements;
}

constexpr UpgradeRule rules[] = {
    {OpKind::RNN, 1, 6, drop_output_sequence}, {OpKind::LSTM, 1, 6, drop_output_sequence},
    {OpKind::GRU, 1, 6, drop_output_sequence}, {OpKind::LpPool, 1, 1, norm_order},
    {OpKind::GlobalLpPool, 1, 1, norm_order},  {OpKind::Scatter, 9, 21, scatter_elements},
};

}  // namespace

std::span<const UpgradeRule> neural_upgrades() {
  return rules;
}

}  // namespace adze::onnx
