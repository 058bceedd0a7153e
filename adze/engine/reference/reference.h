#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::reference {

struct Datum;
using Sequence = std::vector<Datum>;

/// What a value holds while running: a tensor, a sequence, or an optional's nothing.
struct Datum {
  std::variant<std::monostate, Tensor, std::shared_ptr<const Sequence>> content;

  Datum() = default;
  Datum(Tensor tensor) : content(std::move(tensor)) {}
  Datum(Sequence sequence) : content(std::make_shared<const Sequence>(std::move(sequence))) {}
  bool is_none() const { return content.index() == 0; }
  bool is_tensor() const { return content.index() == 1; }
  bool is_sequence() const { return content.index() == 2; }
  const Tensor& tensor() const;      ///< ModelError when it is something else
  const Sequence& sequence() const;  ///< ModelError when it is something else
};

struct RunOptions {
  std::int64_t max_steps = 100'000'000;  ///< nodes run, loop bodies included; LimitError beyond
  std::uint64_t seed = 0;                ///< for the random operators
  /// Called after each node of the outermost graph with its outputs, absent ones as none.
  std::function<void(NodeId, std::span<const Datum>)> observer;
};

/// Runs the graph with plain loops: the oracle of everything. Inputs in the order of graph.inputs(). Every operator in
/// every dtype that ONNX gives it, single-threaded, computed in the order that the formula reads.
/// Throws ModelError naming the node for shapes, indices or dtypes that cannot be; UnsupportedError for an operator
/// without reference; LimitError when a budget is used up; Interrupted.
std::vector<Datum> run(const Graph& graph, std::vector<Datum> inputs, const RunOptions& options = {});
/// The same for graphs whose inputs and outputs are all tensors.
std::vector<Tensor> run_tensors(const Graph& graph, const std::vector<Tensor>& inputs, const RunOptions& options = {});

/// Runs one node on its inputs (absent ones as none).
std::vector<Datum> run_node(const Graph& graph, const Node& node, std::span<const Datum> inputs,
                            const RunOptions& options = {});

/// What a kernel sees of its node. Kernels check everything that depends on data.
class Context {
 public:
  Context(const Graph& graph, const Node& node, std::span<const Datum> inputs, const RunOptions& options);

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  const RunOptions& options() const { return options_; }
  std::size_t num_inputs() const { return inputs_.size(); }
  std::size_t num_outputs() const { return node_.outputs.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && !inputs_[i].is_none(); }
  const Datum& datum(std::size_t i) const;
  const Tensor& input(std::size_t i) const;           ///< ModelError when absent or not a tensor
  const Tensor* optional_input(std::size_t i) const;  ///< null when absent
  bool wants(std::size_t i) const { return node_.output(i) != ValueId::None; }
  void set(std::size_t i, Datum value);
  std::vector<Datum>& outputs() { return outputs_; }

  /// Runs a subgraph attribute with these inputs; captured values come from the surrounding run.
  std::vector<Datum> run_subgraph(std::string_view attribute, std::vector<Datum> inputs);
  /// How subgraphs find captured values, and the run they belong to: set by run().
  std::function<Datum(ValueId)> captured;
  void* run_state = nullptr;

 private:
  const Graph& graph_;
  const Node& node_;
  std::span<const Datum> inputs_;
  const RunOptions& options_;
  std::vector<Datum> outputs_;
};

using Kernel = void (*)(Context&);

/// One line of a family's kernel table.
struct KernelEntry {
  OpKind kind;
  Kernel kernel;
};

/// The kernel of an operator, or null.
Kernel kernel_function(OpKind kind);

// One table per family, in <family>.cpp.
std::span<const KernelEntry> adze_kernels();
std::span<const KernelEntry> control_kernels();
std::span<const KernelEntry> elementwise_kernels();
std::span<const KernelEntry> movement_kernels();
std::span<const KernelEntry> neural_kernels();
std::span<const KernelEntry> quantization_kernels();
std::span<const KernelEntry> random_kernels();
std::span<const KernelEntry> recurrent_kernels();
std::span<const KernelEntry> reduction_kernels();
std::span<const KernelEntry> signal_kernels();
std::span<const KernelEntry> text_kernels();
std::span<const KernelEntry> training_kernels();

}  // namespace adze::reference
