#include <algorithm>
#include <cmath>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/recurrent.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::recurrent {

namespace {

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

/// The named activation; alpha and beta where given, else ONNX's defaults.
Activation activation_of(const std::string& name, std::optional<double> alpha, std::optional<double> beta) {
  std::string key = name;
  std::transform(key.begin(), key.end(), key.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  const auto a = [&](double fallback) { return alpha.value_or(fallback); };
  const auto b = [&](double fallback) { return beta.value_or(fallback); };
  if (key == "relu") return [](double x) { return std::max(0.0, x); };
  if (key == "tanh") return [](double x) { return std::tanh(x); };
  if (key == "sigmoid") return logistic;
  if (key == "affine") return [p = a(1), q = b(0)](double x) { return p * x + q; };
  if (key == "leakyrelu") return [p = a(0.01)](double x) { return x >= 0 ? x : p * x; };
  if (key == "thresholdedrelu") return [p = a(1)](double x) { return x > p ? x : 0; };
  if (key == "scaledtanh") return [p = a(1), q = b(1)](double x) { return p * std::tanh(q * x); };
  if (key == "hardsigmoid") return [p = a(0.2), q = b(0.5)](double x) { return std::clamp(p * x + q, 0.0, 1.0); };
  if (key == "elu") return [p = a(1)](double x) { return x >= 0 ? x : p * std::expm1(x); };
  if (key == "softsign") return [](double x) { return x / (1 + std::abs(x)); };
  if (key == "softplus") return [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  throw ModelError(cat("activation ", quoted(name), " is not known"));
}

bool takes_alpha(const std::string& name) {
  static const std::vector<std::string> names = {"affine",     "leakyrelu",   "thresholdedrelu",
                                                 "scaledtanh", "hardsigmoid", "elu"};
  std::string key = name;
  std::transform(key.begin(), key.end(), key.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return std::find(names.begin(), names.end(), key) != names.end();
}

/// activation_alpha and activation_beta list values only for the activations that take them, in order.
std::vector<Activation> activations_of(const Node& node, std::int64_t directions,
                                       const std::vector<std::string>& defaults) {
  std::vector<std::string> names = node.get_strings("activations");
  if (names.empty()) {
    for (std::int64_t i = 0; i < directions; ++i) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  if (names.size() != defaults.size() * static_cast<std::size_t>(directions)) {
    throw ModelError(cat("activations has ", names.size(), " entries, expected ",
                         defaults.size() * static_cast<std::size_t>(directions)));
  }
  const std::vector<float> alphas = node.get_floats("activation_alpha"), betas = node.get_floats("activation_beta");
  const bool all_alphas = alphas.size() == names.size(), all_betas = betas.size() == names.size();
  std::size_t alpha_at = 0, beta_at = 0;
  std::vector<Activation> activations;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::optional<double> alpha, beta;
    const bool wants = takes_alpha(names[i]);
    if (all_alphas) {
      alpha = alphas[i];
    } else if (wants && alpha_at < alphas.size()) {
      alpha = alphas[alpha_at++];
    }
    if (all_betas) {
      beta = betas[i];
    } else if (wants && beta_at < betas.size()) {
      beta = betas[beta_at++];
    }
    activations.push_back(activation_of(names[i], alpha, beta));
  }
  return activations;
}

void require_shape(const Tensor& tensor, const Shape& shape, std::string_view what) {
  if (tensor.shape() != shape) throw ModelError(cat(what, " is ", type_text(tensor), ", expected ", shape_text(shape)));
}

std::vector<std::int64_t> lengths_of(Context& context, const Settings& settings) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(settings.batch), settings.steps);
  const Tensor* given = context.optional_input(4);
  if (given == nullptr) return lengths;
  require_shape(*given, {settings.batch}, "sequence_lens");
  lengths = to_ints(*given);
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > settings.steps)
      throw ModelError(cat("sequence_lens holds ", length, " of ", settings.steps));
  }
  return lengths;
}

}  // namespace

Settings settings_of(Context& context, std::int64_t gates, const std::vector<std::string>& defaults) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Tensor& r = context.input(2);
  if (x.rank() != 3 || r.rank() != 3) throw ModelError("X and R must have rank 3");
  Settings s;
  s.batch_first = node.get_int("layout") != 0;
  s.steps = x.dim(s.batch_first ? 1 : 0);
  s.batch = x.dim(s.batch_first ? 0 : 1);
  s.input_size = x.dim(2);
  s.hidden = r.dim(2);
  const std::int64_t declared = node.get_int("hidden_size", s.hidden);
  if (declared != s.hidden) throw ModelError(cat("hidden_size is ", declared, ", R has ", s.hidden));
  const std::string direction = node.get_string("direction");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    throw ModelError(cat("direction ", quoted(direction), " is not known"));
  }
  s.directions = direction == "bidirectional" ? 2 : 1;
  s.reverse = direction == "reverse";
  require_shape(context.input(1), {s.directions, gates * s.hidden, s.input_size}, "W");
  require_shape(r, {s.directions, gates * s.hidden, s.hidden}, "R");
  if (const Tensor* bias = context.optional_input(3)) require_shape(*bias, {s.directions, 2 * gates * s.hidden}, "B");
  if (node.has("clip")) {
    s.clip = node.get_float("clip");
    if (!(*s.clip >= 0)) throw ModelError("clip must not be negative");
  }
  s.activations = activations_of(node, s.directions, defaults);
  s.lengths = lengths_of(context, s);
  return s;
}

Weights weights_of(Context& context, const Settings& settings, std::int64_t gates, std::int64_t direction) {
  const auto slice = [&](std::size_t input, std::int64_t count) {
    const std::vector<double> all = to_doubles(context.input(input));
    return std::vector<double>(all.begin() + direction * count, all.begin() + (direction + 1) * count);
  };
  const std::int64_t rows = gates * settings.hidden;
  Weights weights{slice(1, rows * settings.input_size), slice(2, rows * settings.hidden), {}};
  weights.bias = context.has(3) ? slice(3, 2 * rows) : std::vector<double>(static_cast<std::size_t>(2 * rows));
  return weights;
}

namespace {

/// Swaps the first two of three dimensions.
std::vector<double> swapped(const std::vector<double>& values, std::int64_t a, std::int64_t b, std::int64_t inner) {
  std::vector<double> result(values.size());
  for (std::int64_t i = 0; i < a * b; ++i) {
    const std::int64_t to = i % b * a + i / b;
    std::copy_n(values.begin() + i * inner, inner, result.begin() + to * inner);
  }
  return result;
}

void set_state(Context& context, const Settings& s, std::size_t output, const std::vector<double>& state) {
  if (!context.wants(output)) return;
  const DType dtype = context.input(0).dtype();
  if (s.batch_first) {
    const auto values = swapped(state, s.directions, s.batch, s.hidden);
    return context.set(output, from_doubles(dtype, {s.batch, s.directions, s.hidden}, values));
  }
  context.set(output, from_doubles(dtype, {s.directions, s.batch, s.hidden}, state));
}

void set_sequence(Context& context, const Settings& s, const std::vector<double>& y) {
  if (!context.wants(0)) return;
  const DType dtype = context.input(0).dtype();
  if (!s.batch_first) return context.set(0, from_doubles(dtype, {s.steps, s.directions, s.batch, s.hidden}, y));
  // [steps, directions, batch, hidden] to [batch, steps, directions, hidden]
  const auto values = swapped(y, s.steps * s.directions, s.batch, s.hidden);
  context.set(0, from_doubles(dtype, {s.batch, s.steps, s.directions, s.hidden}, values));
}

}  // namespace

std::vector<double> inputs_of(Context& context, const Settings& s) {
  const std::vector<double> x = to_doubles(context.input(0));
  return s.batch_first ? swapped(x, s.batch, s.steps, s.input_size) : x;
}

std::vector<double> state_of(Context& context, const Settings& s, std::size_t input) {
  const Tensor* state = context.optional_input(input);
  if (state == nullptr) return std::vector<double>(static_cast<std::size_t>(s.directions * s.batch * s.hidden));
  const Shape shape = s.batch_first ? Shape{s.batch, s.directions, s.hidden} : Shape{s.directions, s.batch, s.hidden};
  require_shape(*state, shape, "the initial state");
  const std::vector<double> values = to_doubles(*state);
  return s.batch_first ? swapped(values, s.batch, s.directions, s.hidden) : values;
}

void run_cells(Context& context, const Settings& s, bool has_cell, const CellMaker& make_cell) {
  const std::vector<double> x = inputs_of(context, s);
  std::vector<double> hidden = state_of(context, s, 5);
  std::vector<double> cell = has_cell ? state_of(context, s, 6) : std::vector<double>(hidden.size());
  std::vector<double> y(static_cast<std::size_t>(s.steps * s.directions * s.batch * s.hidden));
  for (std::int64_t direction = 0; direction < s.directions; ++direction) {
    const Cell run_cell = make_cell(direction);
    const bool backward = s.reverse || direction == 1;
    for (std::int64_t b = 0; b < s.batch; ++b) {
      const std::int64_t length = s.lengths[static_cast<std::size_t>(b)];
      double* state = hidden.data() + (direction * s.batch + b) * s.hidden;
      double* cell_state = cell.data() + (direction * s.batch + b) * s.hidden;
      for (std::int64_t i = 0; i < length; ++i) {
        check_cancelled();
        const std::int64_t step = backward ? length - 1 - i : i;
        run_cell(x.data() + (step * s.batch + b) * s.input_size, state, cell_state);
        std::copy_n(state, s.hidden, y.begin() + ((step * s.directions + direction) * s.batch + b) * s.hidden);
      }
    }
  }
  set_sequence(context, s, y);
  set_state(context, s, 1, hidden);
  if (has_cell) set_state(context, s, 2, cell);
}

double dot(const double* row, const double* x, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += row[i] * x[i];
  return sum;
}

double clipped(const Settings& settings, double value) {
  return settings.clip ? std::clamp(value, -*settings.clip, *settings.clip) : value;
}

}  // namespace adze::reference::recurrent
