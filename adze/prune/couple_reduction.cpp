#include <algorithm>

#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

constexpr std::string_view reduced = "reduced along it";

/// The axes that a Reduce operator goes over, from its input 1; nothing when they are not known.
std::optional<std::vector<std::int64_t>> reduced_axes(const Coupling& coupling, const Node& node) {
  const std::int64_t rank = coupling.rank(node.input(0));
  std::vector<std::int64_t> axes;
  if (node.input(1) != ValueId::None) {
    const Tensor* constant = coupling.graph().constant(node.input(1));
    if (constant == nullptr) return std::nullopt;
    for (const std::int64_t axis : to_ints(*constant)) axes.push_back(normalize_axis(axis, rank));
  }
  if (axes.empty() && node.get_int("noop_with_empty_axes", 0) == 0) {
    for (std::int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  return axes;
}

void link_kept(Coupling& coupling, ValueId x, ValueId y, const std::vector<std::int64_t>& axes, bool keep) {
  std::int64_t to = 0;
  for (std::int64_t axis = 0; axis < coupling.rank(x); ++axis) {
    const bool gone = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (gone) coupling.pin(x, axis, reduced);
    if (!gone) coupling.link(x, axis, y, to);
    if (!gone || keep) ++to;
  }
}

void couple_reduce(Coupling& coupling, NodeId, const Node& node) {
  const auto axes = reduced_axes(coupling, node);
  if (!axes) {
    coupling.pin_all(node.input(0), reduced);
    return coupling.pin_all(node.output(), reduced);
  }
  link_kept(coupling, node.input(0), node.output(), *axes, node.get_int("keepdims", 1) != 0);
}

void couple_arg_reduce(Coupling& coupling, NodeId, const Node& node) {
  const std::int64_t axis = normalize_axis(node.get_int("axis", 0), coupling.rank(node.input(0)));
  link_kept(coupling, node.input(0), node.output(), {axis}, node.get_int("keepdims", 1) != 0);
}

/// Softmax and its like: what lies along the axis decides together.
void couple_softmax(Coupling& coupling, NodeId, const Node& node) {
  const std::int64_t axis = normalize_axis(node.get_int("axis", -1), coupling.rank(node.input(0)));
  coupling.link_all(node.input(0), node.output());
  coupling.pin(node.input(0), axis, "normalized along it");
}

}  // namespace

std::span<const CouplingEntry> reduction_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::ArgMax, couple_arg_reduce},       {OpKind::ArgMin, couple_arg_reduce},
      {OpKind::Hardmax, couple_softmax},         {OpKind::LogSoftmax, couple_softmax},
      {OpKind::LpNormalization, couple_softmax}, {OpKind::ReduceL1, couple_reduce},
      {OpKind::ReduceL2, couple_reduce},         {OpKind::ReduceLogSum, couple_reduce},
      {OpKind::ReduceLogSumExp, couple_reduce},  {OpKind::ReduceMax, couple_reduce},
      {OpKind::ReduceMean, couple_reduce},       {OpKind::ReduceMin, couple_reduce},
      {OpKind::ReduceProd, couple_reduce},       {OpKind::ReduceSum, couple_reduce},
      {OpKind::ReduceSumSquare, couple_reduce},  {OpKind::Softmax, couple_softmax},
  };
  return entries;
}

}  // namespace adze::prune
