#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/augment.h"
#include "adze/data/batches.h"

namespace adze {

namespace {

/// Gamma(shape, 1). Below 1 by the power of a uniform number.
/// Source  Marsaglia and Tsang, A Simple Method for Generating Gamma Variables, 2000
double draw_gamma(double shape, Random& random) {
  if (shape < 1) {
    const double boost = std::pow(1.0 - random.uniform(), 1.0 / shape);
    return draw_gamma(shape + 1, random) * boost;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1.0 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

void mix_rows(Tensor& tensor, const std::vector<std::int64_t>& partners, double lambda) {
  if (tensor.dtype() != DType::F32) {
    throw UnsupportedError(cat("mixup: the batch is ", type_text(tensor), ", expected f32"));
  }
  const Tensor old = tensor;
  const auto from = old.data<float>();
  const auto to = tensor.mutable_data<float>();
  const std::size_t row = to.size() / partners.size();
  const auto own = static_cast<float>(lambda), other = static_cast<float>(1 - lambda);
  for (std::size_t i = 0; i < partners.size(); ++i) {
    const float* partner = from.data() + static_cast<std::size_t>(partners[i]) * row;
    for (std::size_t k = 0; k < row; ++k) to[i * row + k] = own * from[i * row + k] + other * partner[k];
  }
}

}  // namespace

double draw_beta(double alpha, double beta, Random& random) {
  const double a = draw_gamma(alpha, random), b = draw_gamma(beta, random);
  // Both vanish for a tiny alpha, whose Beta is a coin.
  return a + b > 0 ? a / (a + b) : static_cast<double>(random.below(2));
}

void mix_batch(Batch& batch, const AugmentOptions& options, const Random& random) {
  if (!(options.mixup > 0) || batch.size() == 0) return;
  Random stream = random;
  batch.lambda = draw_beta(options.mixup, options.mixup, stream);
  const std::vector<std::int64_t> partners = random_permutation(batch.size(), stream);
  mix_rows(batch.inputs, partners, batch.lambda);
  if (batch.targets) mix_rows(*batch.targets, partners, batch.lambda);
  batch.other_labels.clear();
  for (const std::int64_t partner : partners)
    batch.other_labels.push_back(batch.labels[static_cast<std::size_t>(partner)]);
}

}  // namespace adze
