#include "adze/train/torch/torch_learner.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/text.h"
#include "adze/graph/facts.h"
#include "adze/train/parameters.h"
#include "adze/train/torch/tensors.h"

namespace adze::train {

namespace {

/// Steps without overflow after which the loss scale doubles, as in mixed precision training (arXiv:1710.03740).
constexpr std::int64_t steps_before_growth = 2000;

class Autocast {
 public:
  explicit Autocast(Precision precision) : on_(precision == Precision::BF16) {
    if (!on_) return;
    at::autocast::set_cpu_enabled(true);
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
  }
  ~Autocast() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_cpu_enabled(false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool on_;
};

ExecutorOptions executor_options(const LearnerOptions& options) {
  ExecutorOptions result;
  result.freeze = options.freeze;
  result.precision = options.precision;
  result.gradient_bits = options.gradient_bits;
  result.log_scales = options.optimizer.kind != OptimizerKind::Sgd;
  result.device = at::Device(options.device);
  return result;
}

/// What the caller asks for and what the graph says.
WeightFacts facts_to_keep(const Graph& graph, const LearnerOptions& options) {
  const WeightFacts facts = weight_facts(graph);
  return {options.keep_zeros || facts.zeros, options.keep_values || facts.shared_values};
}

void backward(const at::Tensor& loss) {
  try {
    loss.backward();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw InternalError(cat("libtorch cannot go back through the network: ", text.substr(0, text.find('\n'))));
  }
}

bool defined(const Tensor& tensor) {
  return !tensor.empty();
}

/// Each step frees and asks again for the same large blocks. Given back to the system, they would cost a page fault for
/// every 4 KiB each time: a third of a small network's step.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace

TorchLearner::TorchLearner(const Graph& graph, const LearnerOptions& options)
    : options_(options),
      device_(options.device),
      workers_(options.workers.count > 1 ? Workers::join(options.workers) : nullptr),
      executor_(graph, executor_options(options)),
      criterion_(graph, options.loss, options.label_smoothing),
      distillation_(graph, criterion_, options),
      kept_(executor_.parameters(), facts_to_keep(graph, options)) {
  check_options(options);
  keep_freed_memory();
  at::set_num_threads(std::max(1, options.threads));
  std::vector<OptimizedParameter> optimized;
  for (const Variable& one : executor_.parameters()) {
    const auto factor = options.rate_factors.find(one.name);
    optimized.push_back({one.name, one.tensor, !is_bias_or_norm(executor_.graph(), one.value),
                         factor == options.rate_factors.end() ? 1.0 : factor->second});
  }
  for (const Variable& one : executor_.scales()) {
    optimized.push_back({one.name, one.tensor, false, options.optimizer.scale_learning_rate});
  }
  for (const Variable& one : distillation_.projections()) optimized.push_back({one.name, one.tensor, true, 1.0});
  if (optimized.empty()) {
    throw ModelError("the network has nothing to train", {graph.source_file, "", ""},
                     "all its weights are frozen or stored as integers");
  }
  optimizer_ = std::make_unique<Optimizer>(optimized, options.optimizer);
  if (options.ema_decay > 0) {
    for (const Variable* one : moved()) average_.push_back(one->tensor.detach().clone());
  }
}

std::vector<Variable*> TorchLearner::moved() {
  std::vector<Variable*> result;
  for (auto* list : {&executor_.parameters(), &executor_.scales(), &distillation_.projections()}) {
    for (Variable& one : *list) result.push_back(&one);
  }
  return result;
}

TorchBatch TorchLearner::to_batch(const LearnBatch& batch) const {
  TorchBatch result;
  for (const Tensor& input : batch.inputs) result.inputs.push_back(to_torch(input).to(device_));
  if (defined(batch.labels)) result.labels = to_torch(batch.labels).to(device_);
  if (defined(batch.other_labels)) {
    result.other_labels = to_torch(batch.other_labels).to(device_);
    result.shares = at::tensor(batch.shares, at::kFloat).to(device_);
  }
  if (defined(batch.targets)) result.targets = to_torch(batch.targets).to(device_);
  return result;
}

TorchLearner::Computed TorchLearner::compute(const TorchBatch& batch, const RunMode& mode) {
  std::vector<ValueId> taps{criterion_.logits()};
  taps.insert(taps.end(), distillation_.taps().begin(), distillation_.taps().end());
  std::vector<at::Tensor> found;
  {
    if (!distillation_.empty()) distillation_.listen(batch);
    const Autocast autocast(options_.precision);
    found = executor_.run(batch.inputs, mode, taps, distillation_.block_inputs());
  }
  const std::size_t outputs = executor_.graph().outputs().size();
  Computed result;
  result.task = criterion_.compute(found[outputs], batch);
  result.task_loss = result.task.loss;
  result.loss = result.task_loss;
  if (!distillation_.empty()) {
    const auto tapped = std::span<const at::Tensor>(found).subspan(outputs + 1);
    result.loss = options_.distill.task_weight * result.task_loss + distillation_.loss(tapped);
  }
  return result;
}

void TorchLearner::refuse_loss(const TorchBatch& batch, const RunMode& mode) {
  for (const at::Tensor& input : batch.inputs) {
    if (at::isFloatingType(input.scalar_type()) && !at::isfinite(input).all().item<bool>()) {
      throw ModelError("the training data holds NaN or infinity", {executor_.graph().source_file, "", ""});
    }
  }
  const Node* node = executor_.first_non_finite(batch.inputs, mode);
  throw ModelError(
      "training diverged: the loss is not finite",
      node != nullptr ? place_of(executor_.graph(), *node) : ErrorPlace{executor_.graph().source_file, "", ""},
      "try a lower --learning-rate, --warmup or --clip-norm 1");
}

StepResult TorchLearner::step(const LearnBatch& given, double learning_rate, std::uint64_t seed) {
  at::manual_seed(seed);
  const TorchBatch batch = to_batch(given);
  const RunMode mode{!options_.freeze_statistics, seed, workers_};
  // Kept apart: a step that fails must leave nothing behind, running statistics included.
  std::vector<at::Tensor> statistics;
  for (const Variable& one : executor_.statistics()) statistics.push_back(one.tensor.clone());
  const auto put_back = [&] {
    for (std::size_t i = 0; i < statistics.size(); ++i) executor_.statistics()[i].tensor.copy_(statistics[i]);
  };
  for (Variable* one : moved()) one->tensor.mutable_grad() = at::Tensor();
  const Computed computed = compute(batch, mode);
  StepResult result;
  result.loss = computed.loss.item<double>();
  result.task_loss = computed.task_loss.item<double>();
  result.correct = computed.task.correct;
  result.counted = computed.task.counted;
  if (!std::isfinite(result.loss)) {
    put_back();
    refuse_loss(batch, mode);
  }
  const bool scaled = options_.precision == Precision::F16;
  backward(scaled ? computed.loss * loss_scale_ : computed.loss);
  const at::NoGradGuard no_grad;
  if (workers_) share(result);
  if (scaled) {
    for (Variable* one : moved()) {
      if (one->tensor.grad().defined()) one->tensor.mutable_grad().div_(loss_scale_);
    }
  }
  result.gradient_norm = gradient_norm();
  if (!std::isfinite(result.gradient_norm)) {
    put_back();
    if (!scaled || loss_scale_ < 1e-3) {
      throw ModelError("training diverged: a gradient is not finite", {executor_.graph().source_file, "", ""},
                       "try a lower --learning-rate or --clip-norm 1");
    }
    loss_scale_ /= 2;
    clean_steps_ = 0;
    result.skipped = true;
    return result;
  }
  if (scaled && ++clean_steps_ == steps_before_growth) {
    loss_scale_ *= 2;
    clean_steps_ = 0;
  }
  if (options_.clip_norm > 0 && result.gradient_norm > options_.clip_norm) {
    const double factor = options_.clip_norm / (result.gradient_norm + 1e-6);
    for (Variable* one : moved()) {
      if (one->tensor.grad().defined()) one->tensor.mutable_grad().mul_(factor);
    }
  }
  kept_.keep_gradients();
  optimizer_->step(learning_rate);
  // A step that a learned scale takes must leave it positive.
  if (options_.optimizer.kind == OptimizerKind::Sgd) {
    for (Variable& scale : executor_.scales()) scale.tensor.clamp_min_(1e-9);
  }
  follow_average();
  kept_.keep_weights(average_);
  return result;
}

void TorchLearner::share(StepResult& result) {
  std::vector<at::Tensor> shared;
  for (Variable* one : moved()) {
    if (!one->tensor.grad().defined()) one->tensor.mutable_grad() = at::zeros_like(one->tensor);
    shared.push_back(one->tensor.grad());
  }
  const at::Tensor figures = at::tensor(
      {result.loss, result.task_loss, static_cast<double>(result.correct), static_cast<double>(result.counted)},
      at::kFloat);
  shared.push_back(figures);
  workers_->average(shared);
  const auto count = static_cast<double>(workers_->size());
  result.loss = figures[0].item<double>();
  result.task_loss = figures[1].item<double>();
  result.correct = std::llround(figures[2].item<double>() * count);
  result.counted = std::llround(figures[3].item<double>() * count);
}

double TorchLearner::gradient_norm() {
  at::Tensor sum;
  for (Variable* one : moved()) {
    if (!one->tensor.grad().defined()) continue;
    const at::Tensor square = one->tensor.grad().to(at::kFloat).pow(2).sum();
    sum = sum.defined() ? sum + square : square;
  }
  return sum.defined() ? std::sqrt(sum.item<double>()) : 0.0;
}

void TorchLearner::follow_average() {
  if (average_.empty()) return;
  const std::vector<Variable*> now = moved();
  for (std::size_t i = 0; i < now.size(); ++i) average_[i].lerp_(now[i]->tensor, 1 - options_.ema_decay);
}

/// Exchanges weights and their average, by content: others hold the same tensors.
void TorchLearner::swap_average() {
  if (average_.empty()) return;
  const at::NoGradGuard no_grad;
  const std::vector<Variable*> now = moved();
  for (std::size_t i = 0; i < now.size(); ++i) {
    const at::Tensor kept = now[i]->tensor.detach().clone();
    now[i]->tensor.copy_(average_[i]);
    average_[i].copy_(kept);
  }
}

/// The averaged weights in place of the present ones, as long as it lives.
class TorchLearner::AverageInUse {
 public:
  explicit AverageInUse(TorchLearner& learner) : learner_(learner) { learner_.swap_average(); }
  ~AverageInUse() { learner_.swap_average(); }
  AverageInUse(const AverageInUse&) = delete;
  AverageInUse& operator=(const AverageInUse&) = delete;

 private:
  TorchLearner& learner_;
};

std::vector<Tensor> TorchLearner::predict(std::span<const Tensor> inputs) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> given;
  for (const Tensor& input : inputs) given.push_back(to_torch(input).to(device_));
  const AverageInUse average(*this);
  const std::vector<at::Tensor> outputs = executor_.run(given, RunMode{});
  std::vector<Tensor> result;
  for (const at::Tensor& output : outputs) result.push_back(from_torch(output));
  return result;
}

StepResult TorchLearner::measure(const LearnBatch& given) {
  const at::NoGradGuard no_grad;
  const TorchBatch batch = to_batch(given);
  const AverageInUse average(*this);
  const std::vector<ValueId> taps{criterion_.logits()};
  const std::vector<at::Tensor> found = executor_.run(batch.inputs, RunMode{}, taps);
  const TaskLoss task = criterion_.compute(found.back(), batch);
  StepResult result;
  result.loss = result.task_loss = task.loss.item<double>();
  result.correct = task.correct;
  result.counted = task.counted;
  return result;
}

std::map<std::string, Tensor> TorchLearner::gradients(const LearnBatch& given, double* loss) {
  for (Variable* one : moved()) one->tensor.mutable_grad() = at::Tensor();
  const TorchBatch batch = to_batch(given);
  const Computed computed = compute(batch, RunMode{});
  if (loss != nullptr) *loss = computed.loss.item<double>();
  backward(computed.loss);
  std::map<std::string, Tensor> result;
  for (Variable* one : moved()) {
    const at::Tensor& gradient = one->tensor.grad();
    result[one->name] = from_torch(gradient.defined() ? gradient : at::zeros_like(one->tensor));
    one->tensor.mutable_grad() = at::Tensor();
  }
  return result;
}

std::vector<std::string> TorchLearner::parameters() const {
  std::vector<std::string> names;
  for (const Variable& one : const_cast<TorchLearner*>(this)->executor_.parameters()) names.push_back(one.name);
  return names;
}

Variable& TorchLearner::variable(const std::string& name) {
  for (Variable* one : moved()) {
    if (one->name == name) return *one;
  }
  throw UsageError(cat("no parameter is called ", adze::quoted(name)));
}

const Variable& TorchLearner::variable(const std::string& name) const {
  return const_cast<TorchLearner*>(this)->variable(name);
}

Tensor TorchLearner::parameter(const std::string& name) const {
  return from_torch(variable(name).tensor);
}

void TorchLearner::set_parameter(const std::string& name, const Tensor& value) {
  const at::NoGradGuard no_grad;
  Variable& one = variable(name);
  if (one.tensor.sizes().vec() != value.shape()) {
    throw UsageError(cat("parameter ", adze::quoted(name), " has shape ", shape_text(Shape(one.tensor.sizes().vec())),
                         ", got ", type_text(value)));
  }
  one.tensor.copy_(to_torch(value));
}

void TorchLearner::set_mask(const std::string& name, const Tensor& mask) {
  const at::NoGradGuard no_grad;
  const Variable& one = variable(name);
  kept_.set_mask(one, to_torch(mask).to(at::kBool).reshape(one.tensor.sizes()).to(device_));
}

Graph TorchLearner::graph() const {
  const AverageInUse average(const_cast<TorchLearner&>(*this));
  return executor_.stored();
}

}  // namespace adze::train
