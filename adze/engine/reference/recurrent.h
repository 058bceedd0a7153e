#pragma once

#include <functional>
#include <optional>

#include "adze/engine/reference/reference.h"

namespace adze::reference::recurrent {

/// An activation with its alpha and beta.
using Activation = std::function<double(double)>;

/// Attributes and sizes that RNN, GRU and LSTM share, checked.
struct Settings {
  std::int64_t steps, batch, input_size, hidden, directions;
  bool batch_first;  ///< layout 1
  bool reverse;      ///< of a single direction
  std::optional<double> clip;
  std::vector<Activation> activations;  ///< per_direction for each direction
  std::vector<std::int64_t> lengths;    ///< of each batch element's sequence
};

/// gates: how many times hidden the weights are high. defaults: names of one direction's activations.
Settings settings_of(Context& context, std::int64_t gates, const std::vector<std::string>& defaults);

/// One direction's weights as doubles: w [gates·hidden, input], r [gates·hidden, hidden], bias of both, 2·gates·hidden.
struct Weights {
  std::vector<double> w, r, bias;
};
Weights weights_of(Context& context, const Settings& settings, std::int64_t gates, std::int64_t direction);

/// x [steps, batch, input], whatever the layout.
std::vector<double> inputs_of(Context& context, const Settings& settings);
/// An initial state [directions, batch, hidden], whatever the layout; zeros when absent.
std::vector<double> state_of(Context& context, const Settings& settings, std::size_t input);

/// One step of a cell for one batch element: x and the state (and cell state, of LSTM) in, the new state in place.
using Cell = std::function<void(const double* x, double* hidden, double* cell)>;
/// Makes the cell of a direction.
using CellMaker = std::function<Cell(std::int64_t direction)>;

/// Runs all directions, steps and batch elements and sets the outputs Y, Y_h and, when has_cell, Y_c.
void run_cells(Context& context, const Settings& settings, bool has_cell, const CellMaker& make_cell);

/// Σ_i row[i] · x[i]
double dot(const double* row, const double* x, std::int64_t count);
/// The value within ±clip.
double clipped(const Settings& settings, double value);

}  // namespace adze::reference::recurrent
