#include "adze/train/torch/kept_weights.h"

#include <ATen/ATen.h>

#include "adze/train/torch/tensors.h"

namespace adze::train {

KeptWeights::KeptWeights(std::vector<Variable>& parameters, const WeightFacts& facts) : parameters_(parameters) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Variable& one = parameters_[i];
    if (one.tensor.dim() < 2) continue;
    const at::Tensor mask = one.tensor.detach() != 0;
    if (facts.zeros && !mask.all().item<bool>()) masks_[one.name] = mask;
    if (facts.shared_values && shares_values(from_torch(one.tensor))) shared_.emplace(i, SharedValues(one.tensor));
  }
}

void KeptWeights::set_mask(const Variable& parameter, at::Tensor mask) {
  const at::NoGradGuard no_grad;
  at::Tensor weights = parameter.tensor;
  weights.mul_(mask);
  masks_[parameter.name] = std::move(mask);
}

void KeptWeights::keep_gradients() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor gradient = parameters_[i].tensor.grad();
    if (!gradient.defined()) continue;
    if (const auto mask = masks_.find(parameters_[i].name); mask != masks_.end()) gradient.mul_(mask->second);
    if (const auto values = shared_.find(i); values != shared_.end()) values->second.even_gradient(gradient);
  }
}

void KeptWeights::keep_weights(std::vector<at::Tensor>& average) {
  for (Variable& one : parameters_) {
    if (const auto mask = masks_.find(one.name); mask != masks_.end()) one.tensor.mul_(mask->second);
  }
  for (const auto& [i, values] : shared_) {
    values.even_weights(parameters_[i].tensor);
    if (!average.empty()) values.even_weights(average[i]);
  }
}

}  // namespace adze::train
