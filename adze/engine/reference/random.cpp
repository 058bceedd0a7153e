#include "adze/base/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "adze/base/text.h"
#include "adze/engine/reference/values.h"

namespace adze::reference {

namespace {

/// The node's own stream: by its seed attribute, else by its name, from the run's seed.
Random generator_of(const Context& context) {
  const Node& node = context.node();
  std::uint64_t stream = 0;
  if (node.has("seed")) {
    stream = std::bit_cast<std::uint32_t>(node.get_float("seed"));
  } else {
    for (const char c : node.name) stream = stream * 1099511628211u + static_cast<unsigned char>(c);
  }
  return Random(context.options().seed).split(stream);
}

template <typename Draw>
void fill(Context& context, Draw&& draw) {
  const std::vector<ValueType> types = checked_types(context);
  Random random = generator_of(context);
  const Shape shape = *concrete(*types[0].shape);
  std::vector<double> values(static_cast<std::size_t>(Tensor(types[0].dtype, shape).size()));
  for (double& value : values) value = draw(random);
  context.set(0, from_doubles(types[0].dtype, shape, values));
}

void random_normal(Context& context) {
  const double mean = context.node().get_float("mean"), scale = context.node().get_float("scale");
  fill(context, [&](Random& random) { return mean + scale * random.normal(); });
}

void random_uniform(Context& context) {
  const double low = context.node().get_float("low"), high = context.node().get_float("high");
  fill(context, [&](Random& random) { return random.uniform(low, high); });
}

void bernoulli(Context& context) {
  const std::vector<double> p = to_doubles(context.input(0));
  std::size_t at = 0;
  fill(context, [&](Random& random) {
    const double probability = p[at++];
    if (!(probability >= 0 && probability <= 1))
      throw ModelError(cat("probability ", probability, " is not in [0, 1]"));
    return random.uniform() < probability ? 1.0 : 0.0;
  });
}

/// Draws classes by their unnormalized log probabilities, [batch, classes] → [batch, samples].
void multinomial(Context& context) {
  const std::vector<double> logits = to_doubles(context.input(0));
  const auto classes = static_cast<std::size_t>(context.input(0).rank() == 2 ? context.input(0).dim(1) : 0);
  if (classes == 0) throw ModelError("input must be [batch, classes] with one class at least");
  const auto samples = static_cast<std::size_t>(context.node().get_int("sample_size"));
  std::size_t drawn = 0;
  fill(context, [&](Random& random) {
    const double* row = logits.data() + drawn++ / samples * classes;
    double most = -HUGE_VAL, total = 0;
    for (std::size_t c = 0; c < classes; ++c) most = std::max(most, row[c]);
    for (std::size_t c = 0; c < classes; ++c) total += std::exp(row[c] - most);
    double left = random.uniform() * total;
    std::size_t chosen = 0;
    while (chosen + 1 < classes && (left -= std::exp(row[chosen] - most)) >= 0) ++chosen;
    return static_cast<double>(chosen);
  });
}

}  // namespace

std::span<const KernelEntry> random_kernels() {
  static constexpr KernelEntry entries[] = {
      {OpKind::Bernoulli, bernoulli},          {OpKind::Multinomial, multinomial},
      {OpKind::RandomNormal, random_normal},   {OpKind::RandomNormalLike, random_normal},
      {OpKind::RandomUniform, random_uniform}, {OpKind::RandomUniformLike, random_uniform},
  };
  return entries;
}

}  // namespace adze::reference
