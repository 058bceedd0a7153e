#include <algorithm>

#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

/// How many gates stand one after the other in the weights, and where hidden units stand besides.
struct Cell {
  std::int64_t gates;
  std::size_t cell_state;  ///< input of the first cell state; 0: none
  std::size_t peephole;    ///< input of peephole weights; 0: none
};

/// Hidden unit h of all gates: axis of value holds gates × hidden.
void link_gates(Coupling& coupling, ValueId value, std::int64_t axis, ValueId y, std::int64_t hidden) {
  if (value == ValueId::None) return;
  const std::int64_t size = coupling.dim(value, axis);
  for (std::int64_t i = 0; i < size; ++i) coupling.link(value, axis, i, y, coupling.rank(y) - 1, i % hidden);
}

void couple_states(Coupling& coupling, const Node& node, ValueId y, const Cell& cell) {
  for (const std::size_t input : {std::size_t{5}, cell.cell_state}) {
    const ValueId state = input == 0 ? ValueId::None : node.input(input);
    if (state != ValueId::None) coupling.link(state, 2, y, coupling.rank(y) - 1);
  }
  for (const ValueId output : node.outputs) {
    if (output != ValueId::None) coupling.link(output, coupling.rank(output) - 1, y, coupling.rank(y) - 1);
  }
}

void couple_cell(Coupling& coupling, NodeId id, const Node& node, const Cell& cell) {
  const ValueId x = node.input(0), weight = node.input(1), recurrent = node.input(2), bias = node.input(3);
  const auto first =
      std::find_if(node.outputs.begin(), node.outputs.end(), [](ValueId v) { return v != ValueId::None; });
  if (first == node.outputs.end()) return;
  const ValueId y = *first;
  const std::int64_t hidden = coupling.dim(recurrent, 2);
  if (hidden < 1 || coupling.dim(y, coupling.rank(y) - 1) != hidden) {
    for (const ValueId value : values_read(node)) coupling.pin_all(value, "its hidden size is not known");
    for (const ValueId value : node.outputs) coupling.pin_all(value, "its hidden size is not known");
    return;
  }
  coupling.link(weight, 2, x, 2);
  coupling.link(recurrent, 2, y, coupling.rank(y) - 1);
  link_gates(coupling, weight, 1, y, hidden);
  link_gates(coupling, recurrent, 1, y, hidden);
  link_gates(coupling, bias, 1, y, hidden);
  if (cell.peephole != 0) link_gates(coupling, node.input(cell.peephole), 1, y, hidden);
  couple_states(coupling, node, y, cell);
  coupling.set_role(weight, 2, id, 1, Role::Consumes);
  coupling.set_role(weight, 1, id, 1, Role::Produces);
  coupling.set_role(recurrent, 1, id, 2, Role::Produces);
  coupling.set_role(recurrent, 2, id, 2, Role::Consumes);
  if (bias != ValueId::None) coupling.set_role(bias, 1, id, 3, Role::PerChannel);
  // Time, batch and directions stay.
  for (const ValueId value : {x, y}) {
    for (std::int64_t axis = 0; axis + 1 < coupling.rank(value); ++axis) coupling.pin(value, axis, "a step of time");
  }
  for (const ValueId value : {weight, recurrent}) coupling.pin(value, 0, "a direction");
}

void couple_lstm(Coupling& coupling, NodeId id, const Node& node) {
  couple_cell(coupling, id, node, {4, 6, 7});
}
void couple_gru(Coupling& coupling, NodeId id, const Node& node) {
  couple_cell(coupling, id, node, {3, 0, 0});
}
void couple_rnn(Coupling& coupling, NodeId id, const Node& node) {
  couple_cell(coupling, id, node, {1, 0, 0});
}

}  // namespace

std::span<const CouplingEntry> recurrent_coupling() {
  static constexpr CouplingEntry entries[] = {
      {OpKind::GRU, couple_gru},
      {OpKind::LSTM, couple_lstm},
      {OpKind::RNN, couple_rnn},
  };
  return entries;
}

}  // namespace adze::prune
