#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/train/torch/batch_norm_rows.h"

namespace adze::train {

class Workers;

/// How one run of a network differs from another.
struct RunMode {
  bool training = false;   ///< batch norms use and update statistics, dropouts drop, ranges are followed
  std::uint64_t seed = 0;  ///< of the random choices of this run
  std::shared_ptr<Workers> workers = nullptr;  ///< processes that share the batch, when there are several
};

/// One node being run under autograd: what it reads, where its outputs go.
class OpCall {
 public:
  OpCall(const Node& node, std::span<const at::Tensor> inputs, const RunMode& mode, Bounds bounds = unbounded)
      : node(node), mode(mode), bounds(bounds), inputs_(inputs), outputs_(node.outputs.size()) {}

  const Node& node;
  const RunMode& mode;
  const Bounds bounds;  ///< of the clamp that a batch norm has to apply as well

  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i].defined(); }
  const at::Tensor& in(std::size_t i) const;  ///< ModelError when it is left out
  std::size_t num_inputs() const { return inputs_.size(); }
  std::span<const at::Tensor> inputs() const { return inputs_; }
  /// A small integer tensor (axes, shapes, pads) as numbers.
  std::vector<std::int64_t> ints(std::size_t i) const;
  std::int64_t rank(std::size_t i = 0) const { return in(i).dim(); }
  std::int64_t axis(std::int64_t given, std::int64_t rank) const { return given < 0 ? given + rank : given; }

  void set(at::Tensor value) { set(0, std::move(value)); }
  void set(std::size_t i, at::Tensor value) {
    if (i < outputs_.size()) outputs_[i] = std::move(value);
  }
  std::vector<at::Tensor>& outputs() { return outputs_; }

 private:
  std::span<const at::Tensor> inputs_;
  std::vector<at::Tensor> outputs_;
};

using OpFunction = void (*)(OpCall&);

/// One line of a family's table.
struct OpEntry {
  OpKind kind;
  OpFunction run;
};

/// What runs an operator under autograd, or null.
OpFunction op_function(OpKind kind);

// One table per family, in ops_<family>.cpp.
std::span<const OpEntry> elementwise_ops();
std::span<const OpEntry> movement_ops();
std::span<const OpEntry> indexing_ops();
std::span<const OpEntry> neural_ops();
std::span<const OpEntry> pooling_ops();
std::span<const OpEntry> recurrent_ops();
std::span<const OpEntry> reduction_ops();

}  // namespace adze::train
