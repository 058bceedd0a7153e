#include "adze/base/text.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// Before opset 7, the second input was broadcast on request only, its dimensions placed from axis on.
///
///   Add(a [N, C, H, W], b [C]) { broadcast = 1, axis = 1 }  →  Add(a, Unsqueeze(b, [1, 2]))
void legacy_broadcast(Upgrade& upgrade) {
  const bool broadcast = upgrade.take_int("broadcast").value_or(0) != 0;
  const auto axis = upgrade.take_int("axis");
  if (!broadcast || !axis) return;
  const std::int64_t small_rank = upgrade.known_rank(1);
  if (small_rank == 0) return;
  const std::int64_t large_rank = upgrade.known_rank(0);
  const std::int64_t first = normalize_axis(*axis, large_rank);
  const std::int64_t missing = large_rank - first - small_rank;
  if (missing < 0) {
    throw ModelError(cat("attribute axis is ", *axis, ": input 1 of rank ", small_rank, " does not fit into rank ",
                         large_rank, " from there"));
  }
  if (missing == 0) return;
  std::vector<std::int64_t> axes;
  for (std::int64_t i = 0; i < missing; ++i) axes.push_back(small_rank + i);
  const ValueId aligned = upgrade.add(
      OpKind::Unsqueeze, {upgrade.node.inputs[1], upgrade.constant("broadcast_axes", axes)}, {}, "broadcast");
  upgrade.set_input(1, aligned);
}

/// PRelu before 7: a slope of rank 1 belonged to the channels, axis 1.
void prelu_channels(Upgrade& upgrade) {
  const auto slope_rank = upgrade.rank(1);
  if (slope_rank && *slope_rank != 1) return;
  const auto& slope = upgrade.type(1).shape;
  if (slope && (*slope)[0] == Dim(1)) return;
  const std::int64_t rank = upgrade.known_rank(0);
  if (rank <= 2) return;
  std::vector<std::int64_t> axes;
  for (std::int64_t i = 1; i < rank - 1; ++i) axes.push_back(i);
  const ValueId aligned =
      upgrade.add(OpKind::Unsqueeze, {upgrade.node.inputs[1], upgrade.constant("slope_axes", axes)}, {}, "slope");
  upgrade.set_input(1, aligned);
}

/// Gemm before 7: broadcasting of C had to be asked for; now it is always done.
void gemm_broadcast(Upgrade& upgrade) {
  upgrade.take_int("broadcast");
}

constexpr UpgradeRule rules[] = {
    {OpKind::Add, 1, 6, legacy_broadcast},   {OpKind::Sub, 1, 6, legacy_broadcast},
    {OpKind::Mul, 1, 6, legacy_broadcast},   {OpKind::Div, 1, 6, legacy_broadcast},
    {OpKind::Pow, 1, 6, legacy_broadcast},   {OpKind::And, 1, 6, legacy_broadcast},
    {OpKind::Or, 1, 6, legacy_broadcast},    {OpKind::Xor, 1, 6, legacy_broadcast},
    {OpKind::Equal, 1, 6, legacy_broadcast}, {OpKind::Greater, 1, 6, legacy_broadcast},
    {OpKind::Less, 1, 6, legacy_broadcast},  {OpKind::PRelu, 1, 6, prelu_channels},
    {OpKind::Gemm, 1, 6, gemm_broadcast},
};

}  // namespace

std::span<const UpgradeRule> arithmetic_upgrades() {
  return rules;
}

}  // namespace adze::onnx
