#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adze/train/options.h"
#include "adze/train/torch/fake_quantizer.h"
#include "adze/train/torch/op_call.h"

namespace adze::train {

struct ExecutorOptions {
  std::vector<std::string> freeze;
  bool train = true;  ///< parameters ask for gradients; otherwise every constant is only read
  Precision precision = Precision::F32;
  int gradient_bits = 0;    ///< LearnerOptions::gradient_bits
  bool log_scales = false;  ///< learned scales are parameters by their logarithm
  at::Device device = at::kCPU;
};

/// A constant that training changes.
struct Variable {
  ValueId value;
  std::string name;
  at::Tensor tensor;
};

/// A graph as a function of libtorch tensors, under autograd. What depends on constants alone is computed beforehand;
/// a QuantizeLinear with the DequantizeLinears that read it becomes one fake quantizer. Operators without a line in the
/// tables run in the reference, where no gradient has to pass.
class Executor {
 public:
  /// Throws UnsupportedError naming a node that can be neither trained through nor computed.
  Executor(const Graph& graph, const ExecutorOptions& options);

  /// The graph's outputs. taps: further values to return, after the outputs. instead: what those who read a value get
  /// in its place; what was computed is returned all the same.
  std::vector<at::Tensor> run(std::span<const at::Tensor> inputs, const RunMode& mode,
                              std::span<const ValueId> taps = {}, const std::map<ValueId, at::Tensor>& instead = {});
  /// The first node, in the order of running, with an output that is not finite although its inputs are; null if none.
  const Node* first_non_finite(std::span<const at::Tensor> inputs, const RunMode& mode);

  const Graph& graph() const { return graph_; }
  std::vector<Variable>& parameters() { return parameters_; }  ///< with gradients; scales not among them
  std::vector<Variable>& statistics() { return statistics_; }  ///< of batch norms
  std::vector<FakeQuantizer>& quantizers() { return quantizers_; }
  std::vector<Variable>& scales() { return scales_; }  ///< learned ones
  /// The graph with the present content of all of these.
  Graph stored() const;

 private:
  enum class Way : std::uint8_t { Torch, Quantizer, Alias, Reference };
  struct Step {
    NodeId node;
    Way way;
    OpFunction function = nullptr;
    std::size_t quantizer = 0;
    std::vector<ValueId> finished = {};  ///< nobody reads them later
    /// A layer on quantized input and weights: its bias will be stored in steps of both scales' product, so it is
    /// rounded to them here too.
    std::optional<std::pair<std::size_t, std::size_t>> bias_scales = {};
    /// Of a Relu or Clip whose neighbour applies them, and of that neighbour: the batch norm before it, in training, or
    /// the quantizer that alone reads it. The Relu or Clip then passes on what it gets, unless somebody wants to see
    /// the value between the two.
    std::optional<Bounds> bounds = {};
    ValueId between = ValueId::None;
    bool only_in_training = false;
  };

  void add_variables(const ExecutorOptions& options);
  void compile();
  bool fold(const Node& node);
  Step step_of(NodeId id);
  std::optional<std::size_t> quantizer_behind(ValueId id) const;
  void join_bounds();
  void join(Step& first, Step& second);
  void find_lifetimes();
  at::Tensor persistent(ValueId id);
  void run_step(const Step& step, const RunMode& mode);
  bool applies_bounds(const Step& step, const RunMode& mode) const;
  void run_reference(const Node& node);
  void run_torch(const Step& step, const Node& node, const RunMode& mode);

  Graph graph_;
  Precision precision_;
  int gradient_bits_;
  bool log_scales_;
  at::Device device_;
  std::vector<Variable> parameters_, statistics_, scales_;
  std::vector<FakeQuantizer> quantizers_;
  std::map<NodeId, std::size_t> quantizer_of_;
  std::vector<Step> steps_;
  std::map<ValueId, Tensor> folded_;    ///< constants computed beforehand
  std::vector<at::Tensor> persistent_;  ///< by value: variables and constants that steps read
  std::vector<at::Tensor> values_;      ///< by value, while running
  std::vector<bool> kept_;              ///< by value: not cleared while running
  std::vector<bool> seen_;              ///< by value, of this run: somebody outside sees or replaces it
};

}  // namespace adze::train
