#pragma once

#include <ATen/core/Tensor.h>

namespace adze::train {

/// Keeps equal weights of a tensor equal: each gets the mean gradient of all that share its value, and so every
/// optimizer moves them as one. The mean where Han et al., Deep Compression (arXiv:1510.00149, section 3), have the
/// sum, so that the learning rates of other weights suit these too.
class SharedValues {
 public:
  explicit SharedValues(const at::Tensor& weights);

  /// Each gradient becomes the mean of those with the same value.
  void even_gradient(at::Tensor gradient) const;
  /// Equal for equal, whatever a vectorized loop's tail rounds differently.
  void even_weights(at::Tensor weights) const;

 private:
  at::Tensor index_;    ///< which value each element has, s64 [elements]
  at::Tensor counts_;   ///< elements of each value
  at::Tensor members_;  ///< the first element of each value, s64
};

}  // namespace adze::train
