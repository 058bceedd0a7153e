#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/engine/reference/values.h"

namespace adze::reference {

namespace {

/// The tensors of optimizer inputs 2…: kind-th group (parameters, gradients, states) of the i-th parameter.
class Groups {
 public:
  Groups(Context& context, std::size_t kinds) : context_(context), count_((context.num_inputs() - 2) / kinds) {
    checked_types(context);
  }
  std::size_t count() const { return count_; }
  std::vector<double> get(std::size_t kind, std::size_t i) const {
    const Tensor& tensor = context_.input(2 + kind * count_ + i);
    if (tensor.shape() != context_.input(2 + i).shape()) {
      throw ModelError(cat("input ", 2 + kind * count_ + i, " and its parameter have different shapes"));
    }
    return to_doubles(tensor);
  }
  void set(std::size_t kind, std::size_t i, const std::vector<double>& values) const {
    const Tensor& parameter = context_.input(2 + i);
    context_.set(kind * count_ + i, from_doubles(parameter.dtype(), parameter.shape(), values));
  }

 private:
  Context& context_;
  std::size_t count_;
};

/// Source  Duchi et al., Adaptive Subgradient Methods, 2011
void adagrad(Context& context) {
  const Groups groups(context, 3);
  const Node& node = context.node();
  const double decay = node.get_float("decay_factor"), epsilon = node.get_float("epsilon");
  const double norm = node.get_float("norm_coefficient");
  const double rate = scalar_or(context, 0, 0) / (1 + scalar_or(context, 1, 0) * decay);
  for (std::size_t i = 0; i < groups.count(); ++i) {
    std::vector<double> x = groups.get(0, i), h = groups.get(2, i);
    const std::vector<double> g = groups.get(1, i);
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double gradient = norm * x[k] + g[k];
      h[k] += gradient * gradient;
      x[k] -= rate * gradient / (std::sqrt(h[k]) + epsilon);
    }
    groups.set(0, i, x);
    groups.set(1, i, h);
  }
}

/// Source  Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015
void adam(Context& context) {
  const Groups groups(context, 4);
  const Node& node = context.node();
  const double alpha = node.get_float("alpha"), beta = node.get_float("beta"), epsilon = node.get_float("epsilon");
  const double norm = node.get_float("norm_coefficient"), norm_post = node.get_float("norm_coefficient_post");
  const double steps = scalar_or(context, 1, 0);
  double rate = scalar_or(context, 0, 0);
  if (steps > 0) rate *= std::sqrt(1 - std::pow(beta, steps)) / (1 - std::pow(alpha, steps));
  for (std::size_t i = 0; i < groups.count(); ++i) {
    std::vector<double> x = groups.get(0, i), v = groups.get(2, i), h = groups.get(3, i);
    const std::vector<double> g = groups.get(1, i);
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double gradient = norm * x[k] + g[k];
      v[k] = alpha * v[k] + (1 - alpha) * gradient;
      h[k] = beta * h[k] + (1 - beta) * gradient * gradient;
      x[k] = (1 - norm_post) * (x[k] - rate * v[k] / (std::sqrt(h[k]) + epsilon));
    }
    groups.set(0, i, x);
    groups.set(1, i, v);
    groups.set(2, i, h);
  }
}

void momentum(Context& context) {
  const Groups groups(context, 3);
  const Node& node = context.node();
  const std::string mode = node.get_string("mode");
  if (mode != "standard" && mode != "nesterov") throw ModelError(cat("mode ", quoted(mode), " is not known"));
  const double rate = scalar_or(context, 0, 0), alpha = node.get_float("alpha");
  const double norm = node.get_float("norm_coefficient");
  const double beta = scalar_or(context, 1, 0) > 0 ? node.get_float("beta") : 1.0;  // the first step takes it all
  for (std::size_t i = 0; i < groups.count(); ++i) {
    std::vector<double> x = groups.get(0, i), v = groups.get(2, i);
    const std::vector<double> g = groups.get(1, i);
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double gradient = norm * x[k] + g[k];
      v[k] = alpha * v[k] + beta * gradient;
      x[k] -= rate * (mode == "nesterov" ? gradient + alpha * v[k] : v[k]);
    }
    groups.set(0, i, x);
    groups.set(1, i, v);
  }
}

/// log softmax over dimension 1 of [N, C, inner…].
std::vector<double> log_softmax(std::vector<double> x, std::size_t classes, std::size_t inner) {
  for (std::size_t begin = 0; classes > 0 && begin < x.size(); begin += classes * inner) {
    for (std::size_t i = 0; i < inner; ++i) {
      double* line = x.data() + begin + i;
      double most = -HUGE_VAL, sum = 0;
      for (std::size_t c = 0; c < classes; ++c) most = std::max(most, line[c * inner]);
      for (std::size_t c = 0; c < classes; ++c) sum += std::exp(line[c * inner] - most);
      for (std::size_t c = 0; c < classes; ++c) line[c * inner] -= most + std::log(sum);
    }
  }
  return x;
}

/// −Σ w[t]·p[n, t], over log probabilities p [N, C, inner…] and targets t [N, inner…].
void set_loss(Context& context, const std::vector<double>& p, std::size_t classes, std::size_t inner) {
  const Tensor& target = context.input(1);
  const Node& node = context.node();
  const std::string reduction = node.get_string("reduction");
  const bool ignores = node.has("ignore_index");
  const std::int64_t ignored = ignores ? node.get_int("ignore_index") : 0;
  const std::vector<double> weights = context.has(2) ? to_doubles(context.input(2)) : std::vector<double>(classes, 1.0);
  std::vector<double> losses(static_cast<std::size_t>(target.size()));
  double sum = 0, total_weight = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const std::int64_t t = target.get_int(static_cast<std::int64_t>(i));
    if (ignores && t == ignored) continue;
    if (t < 0 || t >= static_cast<std::int64_t>(classes))
      throw ModelError(cat("target ", t, " is not one of ", classes, " classes"));
    const auto label = static_cast<std::size_t>(t);
    losses[i] = -weights[label] * p[(i / inner * classes + label) * inner + i % inner];
    sum += losses[i];
    total_weight += weights[label];
  }
  const DType dtype = context.input(0).dtype();
  if (reduction == "none") return context.set(0, from_doubles(dtype, target.shape(), losses));
  context.set(0, from_doubles(dtype, {}, std::vector<double>{reduction == "mean" ? sum / total_weight : sum}));
}

struct Sizes {
  std::size_t classes, inner;
};

Sizes sizes_of(const Tensor& x) {
  return {static_cast<std::size_t>(x.dim(1)), static_cast<std::size_t>(num_elements(part(x.shape(), 2)))};
}

void negative_log_likelihood_loss(Context& context) {
  checked_types(context);
  const Tensor& x = context.input(0);
  const Sizes sizes = sizes_of(x);
  set_loss(context, to_doubles(x), sizes.classes, sizes.inner);
}

void softmax_cross_entropy_loss(Context& context) {
  checked_types(context);
  const Tensor& x = context.input(0);
  const Sizes sizes = sizes_of(x);
  const std::vector<double> p = log_softmax(to_doubles(x), sizes.classes, sizes.inner);
  set_loss(context, p, sizes.classes, sizes.inner);
  if (context.wants(1)) context.set(1, from_doubles(x.dtype(), x.shape(), p));
}

}  // namespace

std::span<const KernelEntry> training_kernels() {
  static constexpr KernelEntry entries[] = {
      {OpKind::Adagrad, adagrad},
      {OpKind::Adam, adam},
      {OpKind::Momentum, momentum},
      {OpKind::NegativeLogLikelihoodLoss, negative_log_likelihood_loss},
      {OpKind::SoftmaxCrossEntropyLoss, softmax_cross_entropy_loss},
  };
  return entries;
}

}  // namespace adze::reference
