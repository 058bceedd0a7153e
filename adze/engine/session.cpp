#include "adze/engine/session.h"

#include <list>
#include <mutex>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/engine/compiled.h"
#include "adze/engine/isa.h"
#include "adze/engine/model.h"
#include "adze/engine/stored_model.h"

namespace adze {

namespace {

/// Plans kept for different input shapes: two for the last, shorter batch of an evaluation, and some to spare.
constexpr std::size_t most_plans = 6;

std::string settings_text(Isa isa, const SessionOptions& options, int threads) {
  std::string text = cat(isa_name(isa), options.integer ? " integer" : " float", " ", compute_name(options.compute));
  if (options.low_bit_inputs == LowBitInputs::Int8) text += " int8 inputs";
  if (options.tune != Tune::Off) {
    text += cat(" tuned ", this_machine().cpu, " ", threads, " ", options.tune_file);
  }
  return text;
}

engine::LoweringOptions lowering_of(const SessionOptions& options) {
  return {options.integer, options.low_bit_inputs == LowBitInputs::Int8 ? 8 : 0};
}

}  // namespace

struct Session::State {
  struct Plan {
    std::vector<Shape> shapes;
    std::vector<DType> dtypes;  ///< of the inputs of its last run; empty before the first
    bool observed;
    std::unique_ptr<engine::Compiled> compiled;
  };

  State(const SessionOptions& given)
      : options(given), isa(choose_isa(given.isa)), threads(given.threads > 0 ? given.threads : num_threads()) {}

  SessionOptions options;
  Isa isa = Isa::Ref;
  int threads = 1;
  std::shared_ptr<engine::Model> model;
  std::list<Plan> plans;  ///< most recently used first
  std::function<void(std::string_view, const Tensor&)> observer;
  bool timed = false;
  mutable std::mutex mutex;

  std::optional<std::vector<Shape>> known_shapes() const;
  /// Prepares for the shapes that are known; keeps what was packed under the fingerprint. model_file: empty when the
  /// session was made from a graph.
  void start(const std::string& fingerprint, const std::filesystem::path& model_file);
  void check_input(std::size_t i, const Tensor& tensor) const;
  bool fits_last_plan(std::span<const Tensor> inputs) const;
  engine::Compiled& compiled_for(std::span<const Tensor> inputs);
  engine::Compiled& compiled_for(const std::vector<Shape>& shapes);
  std::unique_ptr<engine::Compiled> compile(const std::vector<Shape>& shapes);
  void tune(const std::shared_ptr<const engine::Blueprint>& blueprint);
};

void Session::State::check_input(std::size_t i, const Tensor& tensor) const {
  const Port& input = model->inputs()[i];
  const bool dtype_fits = input.type.dtype == DType::Undefined || input.type.dtype == tensor.dtype();
  const bool shape_fits = !input.type.shape || compatible(*input.type.shape, symbolic(tensor.shape()));
  if (input.type.is_tensor() && dtype_fits && shape_fits) return;
  throw ModelError(cat("input ", adze::quoted(input.name), " is ", type_text(input.type), ", got ", type_text(tensor)),
                   {model->source_file(), "", ""}, "convert or reshape the input, or convert the model");
}

std::unique_ptr<engine::Compiled> Session::State::compile(const std::vector<Shape>& shapes) {
  const std::lock_guard lock(model->mutex);
  const auto blueprint = model->blueprint(shapes, !observer);
  const bool tuned = options.tune != Tune::Off;
  if (tuned && !observer && blueprint->choices.empty()) tune(blueprint);
  auto compiled = std::make_unique<engine::Compiled>(
      blueprint, engine::Settings{isa, options.compute, threads, model->weights, tuned ? &model->tuned : nullptr});
  model->release_files();
  return compiled;
}

void Session::State::tune(const std::shared_ptr<const engine::Blueprint>& blueprint) {
  constexpr double fast = 0.002, full = 0.05;  // seconds for a candidate
  if (!options.tune_file.empty()) model->tuned.load(options.tune_file);
  engine::WeightCache scratch;
  const engine::Settings settings{isa, options.compute, threads, scratch, &model->tuned};
  engine::Compiled(blueprint, settings).tune(settings, model->tuned, options.tune == Tune::Full ? full : fast);
  if (!options.tune_file.empty() && model->tuned.changed()) model->tuned.save(options.tune_file);
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
  if (inputs.size() != model->inputs().size()) {
    throw ModelError(cat("the model has ", model->inputs().size(), " inputs, ", inputs.size(), " given"),
                     {model->source_file(), "", ""});
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

std::optional<std::vector<Shape>> Session::State::known_shapes() const {
  std::vector<Shape> shapes;
  for (const Port& input : model->inputs()) {
    const auto given = options.input_shapes.find(input.name);
    const auto declared = input.type.shape ? concrete(*input.type.shape) : std::nullopt;
    if (given == options.input_shapes.end() && !declared) return std::nullopt;
    shapes.push_back(given != options.input_shapes.end() ? given->second : *declared);
  }
  return shapes;
}

void Session::State::start(const std::string& fingerprint, const std::filesystem::path& model_file) {
  const auto shapes = known_shapes();
  if (!shapes) return;
  const engine::Compiled& compiled = compiled_for(*shapes);
  if (options.weight_file.empty()) return;
  const std::lock_guard lock(model->mutex);
  const bool stores_model = !model_file.empty() && !model->is_restored();
  if (!stores_model && !model->weights.has_new()) return;
  std::map<std::string, std::string> more;
  if (!model_file.empty()) more = encode_stored(model->stored(*shapes, compiled), compiled.choices(), model_file);
  model->weights.save(options.weight_file, fingerprint, more);
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}

Session::Session(Graph graph, const SessionOptions& options) : state_(std::make_unique<State>(options)) {
  const std::string settings = settings_text(state_->isa, options, state_->threads);
  state_->model = engine::share_model(cat(engine::graph_key(graph), "\n", settings, "\n", options.weight_file));
  std::string fingerprint;
  {
    const std::lock_guard lock(state_->model->mutex);
    const bool is_new = !state_->model->is_ready();
    if (is_new) state_->model->prepare(std::move(graph), lowering_of(options));
    if (!options.weight_file.empty()) fingerprint = engine::weight_fingerprint(*state_->model->graph(), settings);
    if (is_new && !options.weight_file.empty()) {
      state_->model->weights.use(engine::WeightFile::open(options.weight_file, fingerprint));
    }
  }
  state_->start(fingerprint, {});
}

Session Session::open(const std::filesystem::path& model, const std::function<Graph()>& read,
                      const SessionOptions& options) {
  const std::string identity = engine::file_identity(model);
  if (identity.empty()) return Session(read(), options);
  auto state = std::make_unique<State>(options);
  const std::string settings = settings_text(state->isa, options, state->threads);
  state->model = engine::share_model(cat(model.string(), "\n", identity, "\n", settings, "\n", options.weight_file));
  const std::string fingerprint = engine::file_fingerprint(identity, settings);
  {
    const std::lock_guard lock(state->model->mutex);
    if (!state->model->is_ready()) {
      std::shared_ptr<const engine::WeightFile> file;
      if (!options.weight_file.empty()) file = engine::WeightFile::open(options.weight_file, fingerprint);
      state->model->weights.use(file);
      if (auto stored = engine::decode_stored(file, model)) {
        state->model->restore(std::move(*stored), lowering_of(options), read);
      } else {
        state->model->prepare(read(), lowering_of(options), read);
      }
    }
  }
  state->start(fingerprint, model);
  return Session(std::move(state));
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<Tensor> Session::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> outputs(state_->model->outputs().size());
  run_into(inputs, outputs);
  return outputs;
}

void Session::run_into(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  const std::lock_guard one_run(state_->mutex);
  State& state = *state_;
  if (outputs.size() != state.model->outputs().size()) {
    throw UsageError(cat("the model has ", state.model->outputs().size(), " outputs, ", outputs.size(), " given"));
  }
  engine::Compiled& compiled =
      state.fits_last_plan(inputs) ? *state.plans.front().compiled : state.compiled_for(inputs);
  if (!state.observer) return compiled.run(inputs, outputs, nullptr, state.timed);
  const auto names = [&] {
    const std::lock_guard model_lock(state.model->mutex);
    return state.model->graph();
  }();
  const engine::Observer observer = [&](ValueId id, const Tensor& tensor) {
    state.observer(names->value(id).name, tensor);
  };
  compiled.run(inputs, outputs, &observer, state.timed);
}

const std::vector<Port>& Session::inputs() const {
  return state_->model->inputs();
}
const std::vector<Port>& Session::outputs() const {
  return state_->model->outputs();
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
  const std::lock_guard lock(state_->model->mutex);
  return state_->model->weights.bytes();
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
