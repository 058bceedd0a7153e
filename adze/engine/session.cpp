#include "adze/engine/session.h"

#include <list>
#include <mutex>

#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/engine/compiled.h"
#include "adze/engine/isa.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/edit.h"
#include "adze/plan/lower_integers.h"
#include "adze/plan/plan.h"

namespace adze {

namespace {

/// Plans kept for different input shapes: two for the last, shorter batch of an evaluation, and some to spare.
constexpr std::size_t most_plans = 6;

bool is_quantized(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const OpKind kind = graph.node(id).kind;
    if (kind == OpKind::DequantizeLinear || kind == OpKind::QuantizeLinear) return true;
  }
  return false;
}

/// Operators whose results on constants are kept instead: weights stored in fewer bits or in another layout.
bool unpacks_weights(OpKind kind) {
  switch (kind) {
    case OpKind::DequantizeLinear:
    case OpKind::Cast:
    case OpKind::Transpose:
    case OpKind::Reshape:
    case OpKind::Squeeze:
    case OpKind::Unsqueeze:
    case OpKind::Identity:
      return true;
    default:
      return false;
  }
}

void fold_weights(Graph& graph) {
  for (const NodeId id : topological_order(graph)) {
    const Node node = graph.node(id);
    if (!unpacks_weights(node.kind) || node.outputs.size() != 1) continue;
    std::vector<reference::Datum> inputs;
    for (const ValueId input : node.inputs) {
      if (const Tensor* constant = graph.constant(input))
        inputs.emplace_back(*constant);
      else if (input == ValueId::None)
        inputs.emplace_back();
    }
    if (inputs.size() != node.inputs.size()) continue;
    std::vector<reference::Datum> outputs = reference::run_node(graph, node, inputs);
    graph.remove_node(id);
    graph.value(node.outputs[0]).constant = outputs[0].tensor();
  }
}

Graph prepared(const Graph& given, bool integer) {
  Graph graph = integer && is_quantized(given) ? lower_integers(given) : given;
  remove_dead_nodes(graph);
  fold_weights(graph);
  return graph;
}

}  // namespace

struct Session::State {
  struct Plan {
    std::vector<Shape> shapes;
    std::vector<DType> dtypes;  ///< of the inputs of its last run; empty before the first
    bool observed;
    std::unique_ptr<engine::Compiled> compiled;
  };

  Graph graph;  ///< lowered
  SessionOptions options;
  Isa isa = Isa::Ref;
  int threads = 1;
  engine::WeightCache weights;
  engine::TuneTable tuned;
  std::list<Plan> plans;  ///< most recently used first
  std::function<void(std::string_view, const Tensor&)> observer;
  bool timed = false;
  mutable std::mutex mutex;

  void check_input(std::size_t i, const Tensor& tensor) const;
  bool fits_last_plan(std::span<const Tensor> inputs) const;
  engine::Compiled& compiled_for(std::span<const Tensor> inputs);
  engine::Compiled& compiled_for(const std::vector<Shape>& shapes);
  std::unique_ptr<engine::Compiled> compile(const std::vector<Shape>& shapes);
  void tune(const Graph& shaped);
};

void Session::State::check_input(std::size_t i, const Tensor& tensor) const {
  const Value& input = graph.value(graph.inputs()[i]);
  const bool dtype_fits = input.type.dtype == DType::Undefined || input.type.dtype == tensor.dtype();
  const bool shape_fits = !input.type.shape || compatible(*input.type.shape, symbolic(tensor.shape()));
  if (input.type.is_tensor() && dtype_fits && shape_fits) return;
  throw ModelError(cat("input ", adze::quoted(input.name), " is ", type_text(input.type), ", got ", type_text(tensor)),
                   {graph.source_file, "", ""}, "convert or reshape the input, or convert the model");
}

std::unique_ptr<engine::Compiled> Session::State::compile(const std::vector<Shape>& shapes) {
  std::map<std::string, Shape> by_name;
  for (std::size_t i = 0; i < shapes.size(); ++i) by_name[graph.value(graph.inputs()[i]).name] = shapes[i];
  const Graph shaped = with_input_shapes(graph, by_name);
  if (options.tune != Tune::Off && !observer) tune(shaped);
  return std::make_unique<engine::Compiled>(
      shaped, !observer, engine::Settings{isa, threads, weights, options.tune != Tune::Off ? &tuned : nullptr});
}

void Session::State::tune(const Graph& shaped) {
  constexpr double fast = 0.002, full = 0.05;  // seconds for a candidate
  if (!options.tune_file.empty()) tuned.load(options.tune_file);
  engine::WeightCache scratch;
  const engine::Settings settings{isa, threads, scratch, &tuned};
  engine::Compiled(shaped, true, settings).tune(settings, tuned, options.tune == Tune::Full ? full : fast);
  if (!options.tune_file.empty() && tuned.changed()) tuned.save(options.tune_file);
}

/// Needs no allocation, unlike the way through compiled_for.
bool Session::State::fits_last_plan(std::span<const Tensor> inputs) const {
  if (plans.empty() || plans.front().observed != static_cast<bool>(observer)) return false;
  const std::vector<Shape>& shapes = plans.front().shapes;
  if (inputs.size() != shapes.size() || plans.front().dtypes.size() != shapes.size()) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].shape() != shapes[i] || inputs[i].dtype() != plans.front().dtypes[i]) return false;
  }
  return true;
}

engine::Compiled& Session::State::compiled_for(std::span<const Tensor> inputs) {
  if (inputs.size() != graph.inputs().size()) {
    throw ModelError(cat("the model has ", graph.inputs().size(), " inputs, ", inputs.size(), " given"),
                     {graph.source_file, "", ""});
  }
  std::vector<Shape> shapes;
  std::vector<DType> dtypes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_input(i, inputs[i]);
    shapes.push_back(inputs[i].shape());
    dtypes.push_back(inputs[i].dtype());
  }
  engine::Compiled& compiled = compiled_for(shapes);
  plans.front().dtypes = std::move(dtypes);
  return compiled;
}

engine::Compiled& Session::State::compiled_for(const std::vector<Shape>& shapes) {
  const bool observed = static_cast<bool>(observer);
  for (auto it = plans.begin(); it != plans.end(); ++it) {
    if (it->observed != observed || it->shapes != shapes) continue;
    plans.splice(plans.begin(), plans, it);
    return *plans.front().compiled;
  }
  auto compiled = compile(shapes);
  if (plans.size() >= most_plans) plans.pop_back();
  plans.push_front({shapes, {}, observed, std::move(compiled)});
  return *plans.front().compiled;
}

Session::Session(const Graph& graph, const SessionOptions& options) : state_(std::make_unique<State>()) {
  state_->isa = choose_isa(options.isa);
  state_->threads = options.threads > 0 ? options.threads : num_threads();
  state_->graph = prepared(graph, options.integer);
  state_->options = options;
  std::vector<Shape> shapes;
  for (const ValueId id : state_->graph.inputs()) {
    const Value& input = state_->graph.value(id);
    const auto given = options.input_shapes.find(input.name);
    if (given != options.input_shapes.end()) {
      shapes.push_back(given->second);
    } else if (input.type.shape && concrete(*input.type.shape)) {
      shapes.push_back(*concrete(*input.type.shape));
    } else {
      return;
    }
  }
  const std::string fingerprint = options.weight_file.empty() ? "" : engine::weight_fingerprint(state_->graph, isa());
  if (!options.weight_file.empty()) {
    state_->weights.use(engine::WeightFile::open(options.weight_file, fingerprint));
  }
  state_->compiled_for(shapes);
  if (!options.weight_file.empty() && state_->weights.has_new()) state_->weights.save(options.weight_file, fingerprint);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<Tensor> Session::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> outputs(state_->graph.outputs().size());
  run_into(inputs, outputs);
  return outputs;
}

void Session::run_into(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  const std::lock_guard one_run(state_->mutex);
  State& state = *state_;
  if (outputs.size() != state.graph.outputs().size()) {
    throw UsageError(cat("the model has ", state.graph.outputs().size(), " outputs, ", outputs.size(), " given"));
  }
  engine::Compiled& compiled =
      state.fits_last_plan(inputs) ? *state.plans.front().compiled : state.compiled_for(inputs);
  if (!state.observer) return compiled.run(inputs, outputs, nullptr, state.timed);
  const engine::Observer observer = [&](ValueId id, const Tensor& tensor) {
    state.observer(state.graph.value(id).name, tensor);
  };
  compiled.run(inputs, outputs, &observer, state.timed);
}

std::string Session::isa() const {
  return std::string(isa_name(state_->isa));
}
int Session::threads() const {
  return state_->threads;
}

std::int64_t Session::arena_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->plans.empty() ? 0 : state_->plans.front().compiled->arena_bytes();
}

std::int64_t Session::packed_weight_bytes() const {
  return state_->weights.bytes();
}

void Session::observe(std::function<void(std::string_view, const Tensor&)> observer) {
  const std::lock_guard lock(state_->mutex);
  state_->observer = std::move(observer);
}

void Session::profile(bool on) {
  const std::lock_guard lock(state_->mutex);
  state_->timed = on;
  if (!on) return;
  for (State::Plan& plan : state_->plans) {
    for (StepInfo& step : plan.compiled->steps()) step.seconds = 0.0, step.calls = 0;
  }
}

std::vector<StepInfo> Session::steps() const {
  const std::lock_guard lock(state_->mutex);
  return state_->plans.empty() ? std::vector<StepInfo>{} : state_->plans.front().compiled->steps();
}

}  // namespace adze
