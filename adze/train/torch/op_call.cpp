#include "adze/train/torch/op_call.h"

#include <ATen/ATen.h>

#include <array>

#include "adze/base/text.h"

namespace adze::train {

namespace {

using Table = std::array<OpFunction, num_op_kinds>;

Table make_table() {
  Table table{};
  for (const auto family : {elementwise_ops(), movement_ops(), indexing_ops(), neural_ops(), pooling_ops(),
                            recurrent_ops(), reduction_ops()}) {
    for (const OpEntry& entry : family) table[static_cast<std::size_t>(entry.kind)] = entry.run;
  }
  return table;
}

}  // namespace

const at::Tensor& OpCall::in(std::size_t i) const {
  if (!has(i)) throw ModelError(cat("input ", i, " is left out"));
  return inputs_[i];
}

std::vector<std::int64_t> OpCall::ints(std::size_t i) const {
  const at::Tensor flat = in(i).detach().to(at::kCPU, at::kLong).contiguous().reshape({-1});
  return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

OpFunction op_function(OpKind kind) {
  static const Table table = make_table();
  return table[static_cast<std::size_t>(kind)];
}

}  // namespace adze::train
