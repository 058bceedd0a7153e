#include "adze/train/options.h"

#include <array>
#include <cmath>
#include <span>

#include "adze/base/text.h"

namespace adze::train {

namespace {

constexpr std::array<std::string_view, 3> optimizer_names = {"sgd", "adam", "adamw"};
constexpr std::array<std::string_view, 3> precision_names = {"f32", "bf16", "f16"};
constexpr std::array<std::string_view, 3> loss_names = {"auto", "cross-entropy", "mse"};

template <std::size_t count>
std::size_t find_name(const std::array<std::string_view, count>& names, std::string_view name, std::string_view what) {
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == name) return i;
  }
  const std::vector<std::string> candidates(names.begin(), names.end());
  throw UsageError(cat("no ", what, " is called ", quoted(name)), cat("did you mean ", nearest(name, candidates), "?"));
}

void require(bool holds, std::string_view option, double value, std::string_view range) {
  if (!holds || !std::isfinite(value)) throw UsageError(cat(option, " is ", value, ", expected ", range));
}

}  // namespace

std::string_view optimizer_name(OptimizerKind kind) {
  return optimizer_names[static_cast<std::size_t>(kind)];
}
OptimizerKind optimizer_from_name(std::string_view name) {
  return static_cast<OptimizerKind>(find_name(optimizer_names, name, "optimizer"));
}
std::string_view precision_name(Precision precision) {
  return precision_names[static_cast<std::size_t>(precision)];
}
Precision precision_from_name(std::string_view name) {
  return static_cast<Precision>(find_name(precision_names, name, "precision"));
}
std::string_view loss_name(Loss loss) {
  return loss_names[static_cast<std::size_t>(loss)];
}
Loss loss_from_name(std::string_view name) {
  return static_cast<Loss>(find_name(loss_names, name, "loss"));
}

void check_options(const LearnerOptions& options) {
  const OptimizerOptions& optimizer = options.optimizer;
  require(optimizer.momentum >= 0 && optimizer.momentum < 1, "momentum", optimizer.momentum, "0 to below 1");
  require(optimizer.beta1 >= 0 && optimizer.beta1 < 1, "beta1", optimizer.beta1, "0 to below 1");
  require(optimizer.beta2 >= 0 && optimizer.beta2 < 1, "beta2", optimizer.beta2, "0 to below 1");
  require(optimizer.epsilon > 0, "epsilon", optimizer.epsilon, "above 0");
  require(optimizer.weight_decay >= 0, "weight decay", optimizer.weight_decay, "0 or more");
  require(options.label_smoothing >= 0 && options.label_smoothing < 1, "label smoothing", options.label_smoothing,
          "0 to below 1");
  require(options.gradient_bits == 0 || (options.gradient_bits >= 2 && options.gradient_bits <= 8), "bits of gradients",
          options.gradient_bits, "2 to 8, or 0 to leave them");
  require(options.clip_norm >= 0, "the norm to clip gradients at", options.clip_norm, "0 (no clipping) or more");
  require(options.ema_decay >= 0 && options.ema_decay < 1, "the decay of the weights' average", options.ema_decay,
          "0 (no average) to below 1");
  if (optimizer.nesterov && (optimizer.kind != OptimizerKind::Sgd || optimizer.momentum == 0)) {
    throw UsageError("Nesterov's momentum belongs to sgd with a momentum above 0");
  }
  const WorkerOptions& workers = options.workers;
  if (workers.count < 1 || workers.rank < 0 || workers.rank >= workers.count) {
    throw UsageError(cat("process ", workers.rank, " of ", workers.count), "RANK counts from 0 to WORLD_SIZE - 1");
  }
  if (workers.port < 1 || workers.port > 65535) throw UsageError(cat("MASTER_PORT is ", workers.port));
  for (const DistillTerm& term : options.distill.terms) {
    if (term.teacher >= options.distill.teachers.size()) {
      throw UsageError(
          cat("a distillation term asks for teacher ", term.teacher + 1, " of ", options.distill.teachers.size()));
    }
    require(term.temperature > 0, "the temperature", term.temperature, "above 0");
    require(term.weight >= 0, "a distillation weight", term.weight, "0 or more");
  }
}

}  // namespace adze::train
