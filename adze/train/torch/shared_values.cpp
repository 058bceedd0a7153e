#include "adze/train/torch/shared_values.h"

#include <ATen/ATen.h>

#include <vector>

namespace adze::train {

SharedValues::SharedValues(const at::Tensor& weights) {
  const at::Tensor flat = weights.detach().reshape({-1});
  index_ = std::get<1>(at::_unique(flat, true, true)).reshape({-1});
  const std::int64_t values = index_.max().item<std::int64_t>() + 1;
  counts_ = at::zeros({values}, flat.options()).scatter_add(0, index_, at::ones_like(flat));
  members_ = at::zeros({values}, index_.options());
  const at::Tensor on_cpu = index_.cpu();
  const std::int64_t* value_of = on_cpu.data_ptr<std::int64_t>();
  std::vector<std::int64_t> first(static_cast<std::size_t>(values));
  for (std::int64_t i = on_cpu.numel() - 1; i >= 0; --i) first[static_cast<std::size_t>(value_of[i])] = i;
  members_.copy_(at::tensor(first, at::kLong));
}

void SharedValues::even_gradient(at::Tensor gradient) const {
  const at::Tensor sums = at::zeros_like(counts_).scatter_add(0, index_, gradient.reshape({-1}));
  gradient.copy_((sums / counts_).index_select(0, index_).reshape(gradient.sizes()));
}

void SharedValues::even_weights(at::Tensor weights) const {
  const at::Tensor values = weights.reshape({-1}).index_select(0, members_);
  weights.copy_(values.index_select(0, index_).reshape(weights.sizes()));
}

}  // namespace adze::train
