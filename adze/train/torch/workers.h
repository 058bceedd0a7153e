#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "adze/train/options.h"

namespace adze::train {

/// The processes that train one network together, over libtorch's c10d with Gloo.
class Workers {
 public:
  /// Meets the others at options.address:options.port; waits for them for ten minutes. ModelError when they do not
  /// come.
  static std::shared_ptr<Workers> join(const WorkerOptions& options);
  virtual ~Workers() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Replaces the tensors (all f32) by their mean over all processes: one exchange for all of them.
  virtual void average(const std::vector<at::Tensor>& tensors) = 0;
};

/// The mean of x over all processes, under autograd: what batch statistics of a divided batch need.
at::Tensor mean_over_workers(const at::Tensor& x, const std::shared_ptr<Workers>& workers);

}  // namespace adze::train
