#include "adze/engine/reference/reference.h"

#include <array>

#include "adze/base/progress.h"
#include "adze/base/text.h"

namespace adze::reference {

const Tensor& Datum::tensor() const {
  if (const Tensor* held = std::get_if<Tensor>(&content)) return *held;
  throw ModelError(is_none() ? "expected a tensor, found nothing" : "expected a tensor, found a sequence");
}

const Sequence& Datum::sequence() const {
  if (const auto* held = std::get_if<std::shared_ptr<const Sequence>>(&content)) return **held;
  throw ModelError(is_none() ? "expected a sequence, found nothing" : "expected a sequence, found a tensor");
}

Context::Context(const Graph& graph, const Node& node, std::span<const Datum> inputs, const RunOptions& options)
    : graph_(graph), node_(node), inputs_(inputs), options_(options), outputs_(node.outputs.size()) {}

const Datum& Context::datum(std::size_t i) const {
  static const Datum none;
  return i < inputs_.size() ? inputs_[i] : none;
}

const Tensor& Context::input(std::size_t i) const {
  if (!has(i)) throw ModelError(cat("input ", i, " is missing"));
  return inputs_[i].tensor();
}

const Tensor* Context::optional_input(std::size_t i) const {
  return has(i) ? &inputs_[i].tensor() : nullptr;
}

void Context::set(std::size_t i, Datum value) {
  if (i < outputs_.size()) outputs_[i] = std::move(value);
}

Kernel kernel_function(OpKind kind) {
  static const auto table = [] {
    std::array<Kernel, num_op_kinds> kernels{};
    for (const auto family : {adze_kernels(), control_kernels(), elementwise_kernels(), movement_kernels(),
                              neural_kernels(), quantization_kernels(), random_kernels(), recurrent_kernels(),
                              reduction_kernels(), signal_kernels(), text_kernels(), training_kernels()}) {
      for (const KernelEntry& entry : family) kernels[static_cast<std::size_t>(entry.kind)] = entry.kernel;
    }
    return kernels;
  }();
  return table[static_cast<std::size_t>(kind)];
}

namespace {

constexpr int max_subgraph_depth = 64;

using Captured = std::function<Datum(ValueId)>;

/// State of one call of run(), shared by all its subgraphs.
struct Run {
  const RunOptions& options;
  std::int64_t steps = 0;
  int depth = 0;
};

std::vector<Datum> run_graph(const Graph& graph, std::vector<Datum> inputs, std::vector<Datum> captures, Run& run);

void count_step(Run& run) {
  check_cancelled();
  if (++run.steps > run.options.max_steps) {
    throw LimitError(cat("more than ", run.options.max_steps, " steps were run"), {}, "raise the step limit");
  }
}

std::vector<Datum> run_kernel(const Graph& graph, const Node& node, std::span<const Datum> inputs, Run& run,
                              const Captured& captured) {
  const Kernel kernel = kernel_function(node.kind);
  if (kernel == nullptr) {
    throw UnsupportedError(cat("operator ", op_name(node.kind), " cannot be run"), place_of(graph, node));
  }
  Context context(graph, node, inputs, run.options);
  context.captured = captured;
  context.run_state = &run;
  try {
    kernel(context);
  } catch (const Error& error) {
    rethrow_with_place(error, place_of(graph, node));
  }
  return std::move(context.outputs());
}

std::vector<Datum> run_graph(const Graph& graph, std::vector<Datum> inputs, std::vector<Datum> captures, Run& run) {
  if (inputs.size() != graph.inputs().size()) {
    throw ModelError(cat("graph ", graph.name, " has ", graph.inputs().size(), " inputs, ", inputs.size(), " given"),
                     {graph.source_file, "", ""});
  }
  std::vector<Datum> values(static_cast<std::size_t>(graph.num_values()));
  std::vector<int> readers(values.size(), 0);  // how often each value will still be read: then its memory is freed
  const auto at = [&](ValueId id) -> Datum& { return values[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < inputs.size(); ++i) at(graph.inputs()[i]) = std::move(inputs[i]);
  for (std::size_t i = 0; i < graph.captures().size(); ++i) at(graph.captures()[i]) = std::move(captures.at(i));
  const auto load = [&](ValueId id) -> Datum {
    if (id == ValueId::None) return {};
    if (const Tensor* constant = graph.constant(id)) return Datum(*constant);
    return at(id);
  };
  const std::vector<NodeId> order = topological_order(graph);
  for (const NodeId id : order) {
    for (const ValueId read : values_read(graph.node(id))) ++readers[static_cast<std::size_t>(read)];
  }
  for (const ValueId output : graph.outputs()) ++readers[static_cast<std::size_t>(output)];
  for (const NodeId id : order) {
    const Node& node = graph.node(id);
    count_step(run);
    std::vector<Datum> node_inputs;
    for (const ValueId input : node.inputs) node_inputs.push_back(load(input));
    std::vector<Datum> outputs = run_kernel(graph, node, node_inputs, run, load);
    if (run.depth == 0 && run.options.observer) run.options.observer(id, outputs);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId output = node.outputs[i];
      if (output != ValueId::None && readers[static_cast<std::size_t>(output)] > 0) at(output) = std::move(outputs[i]);
    }
    for (const ValueId read : values_read(node)) {
      if (--readers[static_cast<std::size_t>(read)] == 0) at(read) = {};
    }
  }
  std::vector<Datum> results;
  for (const ValueId output : graph.outputs()) results.push_back(load(output));
  return results;
}

}  // namespace

std::vector<Datum> Context::run_subgraph(std::string_view attribute, std::vector<Datum> inputs) {
  const Attribute* found = node_.find(attribute);
  const Subgraph* subgraph = found != nullptr ? std::get_if<Subgraph>(found) : nullptr;
  if (subgraph == nullptr) throw ModelError(cat("attribute ", attribute, " is missing"));
  Run& run = *static_cast<Run*>(run_state);
  if (run.depth >= max_subgraph_depth) throw LimitError("subgraphs are nested too deeply");
  std::vector<Datum> captures;
  for (const ValueId id : subgraph->captured) captures.push_back(captured(id));
  count_step(run);  // a body without nodes uses up the budget too
  ++run.depth;
  std::vector<Datum> outputs = run_graph(*subgraph->graph, std::move(inputs), std::move(captures), run);
  --run.depth;
  return outputs;
}

std::vector<Datum> run(const Graph& graph, std::vector<Datum> inputs, const RunOptions& options) {
  Run state{options};
  return run_graph(graph, std::move(inputs), {}, state);
}

std::vector<Tensor> run_tensors(const Graph& graph, const std::vector<Tensor>& inputs, const RunOptions& options) {
  std::vector<Tensor> outputs;
  for (const Datum& output : run(graph, {inputs.begin(), inputs.end()}, options)) outputs.push_back(output.tensor());
  return outputs;
}

std::vector<Datum> run_node(const Graph& graph, const Node& node, std::span<const Datum> inputs,
                            const RunOptions& options) {
  Run state{options};
  return run_kernel(graph, node, inputs, state, [](ValueId) -> Datum {
    throw ModelError("a single node cannot be run when its subgraphs read surrounding values");
  });
}

}  // namespace adze::reference
