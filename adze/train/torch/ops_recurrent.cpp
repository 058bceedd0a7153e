#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "adze/base/text.h"
#include "adze/train/torch/op_call.h"

namespace adze::train {

namespace {

using at::Tensor;

/// A named activation with its attributes, as RNN, GRU and LSTM list them.
struct Activation {
  std::string name;
  double alpha = 0, beta = 0;

  Tensor operator()(const Tensor& x) const {
    if (name == "relu") return at::relu(x);
    if (name == "tanh") return at::tanh(x);
    if (name == "sigmoid") return at::sigmoid(x);
    if (name == "affine") return x * alpha + beta;
    if (name == "leakyrelu") return at::leaky_relu(x, alpha);
    if (name == "thresholdedrelu") return at::where(x > alpha, x, at::zeros_like(x));
    if (name == "scaledtanh") return alpha * at::tanh(beta * x);
    if (name == "hardsigmoid") return at::clamp(x * alpha + beta, 0, 1);
    if (name == "elu") return at::where(x >= 0, x, alpha * at::expm1(at::clamp_max(x, 0)));
    if (name == "softsign") return x / (1 + at::abs(x));
    if (name == "softplus") return at::softplus(x);
    throw ModelError(cat("activation ", adze::quoted(name), " is not known"));
  }
};

struct Defaults {
  std::string_view name;
  double alpha, beta;
};
constexpr Defaults with_numbers[] = {{"affine", 1, 0},     {"leakyrelu", 0.01, 0},    {"thresholdedrelu", 1, 0},
                                     {"scaledtanh", 1, 1}, {"hardsigmoid", 0.2, 0.5}, {"elu", 1, 0}};

std::vector<Activation> activations_of(const Node& node, std::int64_t directions,
                                       const std::vector<std::string>& defaults) {
  std::vector<std::string> names = node.get_strings("activations");
  if (names.empty()) {
    for (std::int64_t i = 0; i < directions; ++i) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  const std::vector<float> alphas = node.get_floats("activation_alpha"), betas = node.get_floats("activation_beta");
  std::vector<Activation> result;
  std::size_t alpha_at = 0, beta_at = 0;
  for (std::string name : names) {
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    Activation activation{name};
    const auto* known = std::find_if(std::begin(with_numbers), std::end(with_numbers),
                                     [&](const Defaults& one) { return one.name == name; });
    if (known != std::end(with_numbers)) {
      activation.alpha = alpha_at < alphas.size() ? alphas[alpha_at++] : known->alpha;
      activation.beta = beta_at < betas.size() ? betas[beta_at++] : known->beta;
    }
    result.push_back(activation);
  }
  return result;
}

/// What the three cells share. Tensors of one direction: x [steps, batch, input], w [gates·hidden, input],
/// r [gates·hidden, hidden], bias [2·gates·hidden].
struct Cell {
  std::int64_t hidden;
  std::span<const Activation> activations;
  Tensor w, r, bias_w, bias_r;
  Tensor peepholes;   ///< LSTM only: [3·hidden] or undefined
  double clip = 0;    ///< 0: none
  bool flag = false;  ///< GRU: linear_before_reset; LSTM: input_forget

  Tensor clipped(const Tensor& x) const { return clip > 0 ? at::clamp(x, -clip, clip) : x; }
  Tensor gate(const Tensor& gates, std::int64_t i) const { return gates.narrow(1, i * hidden, hidden); }
};

/// A step: the projected input [batch, gates·hidden] and the state to the new state.
using Step = void (*)(const Cell&, const Tensor& projected, Tensor& h, Tensor& c);

void rnn_step(const Cell& cell, const Tensor& projected, Tensor& h, Tensor&) {
  h = cell.activations[0](cell.clipped(projected + at::addmm(cell.bias_r, h, cell.r.t())));
}

/// Gates in the order z, r, h.
void gru_step(const Cell& cell, const Tensor& projected, Tensor& h, Tensor&) {
  const Activation &f = cell.activations[0], &g = cell.activations[1];
  const std::int64_t n = cell.hidden;
  if (cell.flag) {
    const Tensor recurrent = at::addmm(cell.bias_r, h, cell.r.t());
    const Tensor z = f(cell.clipped(cell.gate(projected, 0) + cell.gate(recurrent, 0)));
    const Tensor r = f(cell.clipped(cell.gate(projected, 1) + cell.gate(recurrent, 1)));
    const Tensor candidate = g(cell.clipped(cell.gate(projected, 2) + r * cell.gate(recurrent, 2)));
    h = (1 - z) * candidate + z * h;
    return;
  }
  const Tensor recurrent = at::addmm(cell.bias_r.narrow(0, 0, 2 * n), h, cell.r.narrow(0, 0, 2 * n).t());
  const Tensor z = f(cell.clipped(cell.gate(projected, 0) + cell.gate(recurrent, 0)));
  const Tensor r = f(cell.clipped(cell.gate(projected, 1) + cell.gate(recurrent, 1)));
  const Tensor from_h = at::addmm(cell.bias_r.narrow(0, 2 * n, n), r * h, cell.r.narrow(0, 2 * n, n).t());
  const Tensor candidate = g(cell.clipped(cell.gate(projected, 2) + from_h));
  h = (1 - z) * candidate + z * h;
}

/// Gates in the order i, o, f, c; peepholes in the order i, o, f.
void lstm_step(const Cell& cell, const Tensor& projected, Tensor& h, Tensor& c) {
  const Activation &f = cell.activations[0], &g = cell.activations[1], &last = cell.activations[2];
  const Tensor sums = projected + at::addmm(cell.bias_r, h, cell.r.t());
  const auto peephole = [&](std::int64_t i, const Tensor& sum, const Tensor& state) {
    return cell.peepholes.defined() ? sum + cell.peepholes.narrow(0, i * cell.hidden, cell.hidden) * state : sum;
  };
  const Tensor input = f(cell.clipped(peephole(0, cell.gate(sums, 0), c)));
  const Tensor forget = cell.flag ? 1 - input : f(cell.clipped(peephole(2, cell.gate(sums, 2), c)));
  c = forget * c + input * g(cell.clipped(cell.gate(sums, 3)));
  h = f(cell.clipped(peephole(1, cell.gate(sums, 1), c))) * last(c);
}

struct Family {
  std::int64_t gates;
  std::vector<std::string> activations;
  Step step;
  bool has_cell;
};

Cell cell_of(OpCall& call, const Family& family, std::int64_t direction, std::int64_t hidden) {
  Cell cell{};
  cell.hidden = hidden;
  cell.w = call.in(1).select(0, direction);
  cell.r = call.in(2).select(0, direction);
  const std::int64_t rows = family.gates * hidden;
  const Tensor bias = call.has(3) ? call.in(3).select(0, direction) : at::zeros({2 * rows}, cell.w.options());
  cell.bias_w = bias.narrow(0, 0, rows);
  cell.bias_r = bias.narrow(0, rows, rows);
  if (family.has_cell && call.has(7)) cell.peepholes = call.in(7).select(0, direction);
  if (call.node.has("clip")) cell.clip = call.node.get_float("clip");
  cell.flag = family.has_cell ? call.node.get_int("input_forget") != 0
                              : family.gates == 3 && call.node.get_int("linear_before_reset") != 0;
  return cell;
}

void run_recurrent(OpCall& call, const Family& family) {
  const bool batch_first = call.node.get_int("layout") != 0;
  if (call.has(4)) {
    const std::int64_t steps = call.in(0).size(batch_first ? 1 : 0);
    for (const std::int64_t length : call.ints(4)) {
      if (length != steps) throw UnsupportedError("sequences of different lengths have no gradient here");
    }
  }
  const Tensor x = batch_first ? call.in(0).transpose(0, 1) : call.in(0);
  const std::int64_t steps = x.size(0), batch = x.size(1), directions = call.in(1).size(0), hidden = call.in(2).size(2);
  const std::vector<Activation> activations = activations_of(call.node, directions, family.activations);
  const auto state = [&](std::size_t input, std::int64_t direction) {
    if (!call.has(input)) return at::zeros({batch, hidden}, x.options());
    return batch_first ? call.in(input).select(1, direction) : call.in(input).select(0, direction);
  };
  std::vector<Tensor> outputs, last_h, last_c;
  for (std::int64_t d = 0; d < directions; ++d) {
    Cell cell = cell_of(call, family, d, hidden);
    const std::size_t each = family.activations.size();
    cell.activations = std::span(activations).subspan(static_cast<std::size_t>(d) * each, each);
    const bool reverse = d == 1 || call.node.get_string("direction") == "reverse";
    const Tensor projected = at::linear(x, cell.w, cell.bias_w);
    Tensor h = state(5, d), c = family.has_cell ? state(6, d) : Tensor();
    std::vector<Tensor> sequence(static_cast<std::size_t>(steps));
    for (std::int64_t i = 0; i < steps; ++i) {
      const std::int64_t step = reverse ? steps - 1 - i : i;
      family.step(cell, projected.select(0, step), h, c);
      sequence[static_cast<std::size_t>(step)] = h;
    }
    outputs.push_back(at::stack(sequence));
    last_h.push_back(h);
    if (family.has_cell) last_c.push_back(c);
  }
  const Tensor y = at::stack(outputs, 1);  // [steps, directions, batch, hidden]
  call.set(0, batch_first ? y.permute({2, 0, 1, 3}) : y);
  call.set(1, at::stack(last_h, batch_first ? 1 : 0));
  if (family.has_cell) call.set(2, at::stack(last_c, batch_first ? 1 : 0));
}

}  // namespace

std::span<const OpEntry> recurrent_ops() {
  static const OpEntry entries[] = {
      {OpKind::GRU,
       [](OpCall& c) {
         run_recurrent(c, {3, {"Sigmoid", "Tanh"}, gru_step, false});
       }},
      {OpKind::LSTM,
       [](OpCall& c) {
         run_recurrent(c, {4, {"Sigmoid", "Tanh", "Tanh"}, lstm_step, true});
       }},
      {OpKind::RNN,
       [](OpCall& c) {
         run_recurrent(c, {1, {"Tanh"}, rnn_step, false});
       }},
  };
  return entries;
}

}  // namespace adze::train
