#pragma once

#include <memory>

#include "adze/train/learner.h"

namespace adze::benchmarks {

/// What a user of libtorch would write for a CIFAR ResNet: modules, autograd, torch::optim::SGD with momentum 0.9.
class ByHand {
 public:
  virtual ~ByHand() = default;
  /// One step on pictures [samples, 3, 32, 32] and labels; the loss before it.
  virtual double step(const train::LearnBatch& batch, double learning_rate) = 0;
};

/// The residual network of He et al. (arXiv:1512.03385, section 4.2) with `blocks` blocks in each of its three stages:
/// 1 gives the zoo's resnet8, 3 its resnet20. channels_last: pictures and weights in that memory format.
std::unique_ptr<ByHand> make_by_hand(int blocks, bool channels_last);

}  // namespace adze::benchmarks
