#include "adze/engine/reference/recurrent.h"

#include <memory>

namespace adze::reference {

namespace recurrent {

namespace {

/// Row `row` of W·x + R·h + Wb + Rb, for gates stacked along the rows.
double gate_sum(const Settings& s, const Weights& weights, std::int64_t rows, std::int64_t row, const double* x,
                const double* h) {
  return dot(weights.w.data() + row * s.input_size, x, s.input_size) +
         dot(weights.r.data() + row * s.hidden, h, s.hidden) + weights.bias[static_cast<std::size_t>(row)] +
         weights.bias[static_cast<std::size_t>(rows + row)];
}

/// h = f(W·x + R·h + b)
void rnn(Context& context) {
  const Settings s = settings_of(context, 1, {"Tanh"});
  run_cells(context, s, false, [&](std::int64_t direction) -> Cell {
    const Activation f = s.activations[static_cast<std::size_t>(direction)];
    return [&s, f, weights = weights_of(context, s, 1, direction)](const double* x, double* hidden, double*) {
      const std::vector<double> before(hidden, hidden + s.hidden);
      for (std::int64_t i = 0; i < s.hidden; ++i) {
        hidden[i] = f(clipped(s, gate_sum(s, weights, s.hidden, i, x, before.data())));
      }
    };
  });
}

/// Gates in the order z (update), r (reset), h (candidate).
void gru(Context& context) {
  const Settings s = settings_of(context, 3, {"Sigmoid", "Tanh"});
  const bool linear_before_reset = context.node().get_int("linear_before_reset") != 0;
  run_cells(context, s, false, [&](std::int64_t direction) -> Cell {
    const auto first = static_cast<std::size_t>(direction) * 2;
    const Activation f = s.activations[first], g = s.activations[first + 1];
    const Weights weights = weights_of(context, s, 3, direction);
    return [&s, f, g, weights, linear_before_reset](const double* x, double* hidden, double*) {
      const std::int64_t n = s.hidden, rows = 3 * n;
      const std::vector<double> before(hidden, hidden + n);
      std::vector<double> reset(before.size()), scaled(before.size());
      for (std::int64_t i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        reset[at] = f(clipped(s, gate_sum(s, weights, rows, n + i, x, before.data())));
        scaled[at] = reset[at] * before[at];
      }
      for (std::int64_t i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const double update = f(clipped(s, gate_sum(s, weights, rows, i, x, before.data())));
        const std::int64_t row = 2 * n + i;
        const double from_x =
            dot(weights.w.data() + row * s.input_size, x, s.input_size) + weights.bias[static_cast<std::size_t>(row)];
        const double recurrent_bias = weights.bias[static_cast<std::size_t>(rows + row)];
        const double* r = weights.r.data() + row * n;
        const double from_h = linear_before_reset ? reset[at] * (dot(r, before.data(), n) + recurrent_bias)
                                                  : dot(r, scaled.data(), n) + recurrent_bias;
        const double candidate = g(clipped(s, from_x + from_h));
        hidden[i] = (1 - update) * candidate + update * before[at];
      }
    };
  });
}

std::vector<double> peepholes_of(Context& context, const Settings& s, std::int64_t direction) {
  const Tensor* given = context.optional_input(7);
  const std::int64_t count = 3 * s.hidden;
  if (given == nullptr) return std::vector<double>(static_cast<std::size_t>(count));
  if (given->shape() != Shape{s.directions, count}) throw ModelError("P does not fit the hidden size");
  std::vector<double> peepholes;
  for (std::int64_t i = 0; i < count; ++i) peepholes.push_back(given->get_double(direction * count + i));
  return peepholes;
}

/// Gates in the order i (input), o (output), f (forget), c (cell); peepholes in the order i, o, f.
void lstm(Context& context) {
  const Settings s = settings_of(context, 4, {"Sigmoid", "Tanh", "Tanh"});
  const bool couples = context.node().get_int("input_forget") != 0;
  run_cells(context, s, true, [&](std::int64_t direction) -> Cell {
    const auto first = static_cast<std::size_t>(direction) * 3;
    const Activation f = s.activations[first], g = s.activations[first + 1], h = s.activations[first + 2];
    const Weights weights = weights_of(context, s, 4, direction);
    const std::vector<double> peepholes = peepholes_of(context, s, direction);
    return [&s, f, g, h, weights, peepholes, couples](const double* x, double* hidden, double* cell) {
      const std::int64_t n = s.hidden;
      const std::vector<double> before(hidden, hidden + n);
      const auto sum = [&](std::int64_t gate, std::int64_t i) {
        return gate_sum(s, weights, 4 * n, gate * n + i, x, before.data());
      };
      for (std::int64_t i = 0; i < n; ++i) {
        const double* peephole = peepholes.data() + i;
        const double input = f(clipped(s, sum(0, i) + peephole[0] * cell[i]));
        const double forget = couples ? 1 - input : f(clipped(s, sum(2, i) + peephole[2 * n] * cell[i]));
        const double candidate = g(clipped(s, sum(3, i)));
        cell[i] = forget * cell[i] + input * candidate;
        const double output = f(clipped(s, sum(1, i) + peephole[n] * cell[i]));
        hidden[i] = output * h(cell[i]);
      }
    };
  });
}

}  // namespace

}  // namespace recurrent

std::span<const KernelEntry> recurrent_kernels() {
  static constexpr KernelEntry entries[] = {
      {OpKind::GRU, recurrent::gru},
      {OpKind::LSTM, recurrent::lstm},
      {OpKind::RNN, recurrent::rnn},
  };
  return entries;
}

}  // namespace adze::reference
