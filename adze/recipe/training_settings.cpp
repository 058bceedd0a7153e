#include "adze/recipe/training_settings.h"

#include <algorithm>
#include <cstdlib>
#include <exception>

#include "adze/base/text.h"
#include "adze/data/subset.h"
#include "adze/recipe/model_files.h"
#include "adze/train/parameters.h"

namespace adze {

namespace {

/// "student=teacher:0.5"
train::DistillTerm inner_term(const std::string& text, train::DistillTerm::Kind kind, std::string_view flag) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(cat(flag, " wants STUDENT=TEACHER[:WEIGHT], got ", adze::quoted(text)));
  }
  train::DistillTerm term;
  term.kind = kind;
  term.student_value = text.substr(0, equals);
  term.teacher_value = text.substr(equals + 1);
  const std::size_t colon = term.teacher_value.rfind(':');
  if (colon == std::string::npos) return term;
  char* end = nullptr;
  const double weight = std::strtod(term.teacher_value.c_str() + colon + 1, &end);
  if (*end != 0 || end == term.teacher_value.c_str() + colon + 1) return term;  // the colon belongs to the name
  term.weight = weight;
  term.teacher_value.resize(colon);
  return term;
}

}  // namespace

train::DistillOptions distill_options(const TrainingSettings& settings) {
  train::DistillOptions result;
  result.task_weight = settings.task_weight;
  for (const std::string& path : settings.teachers) {
    result.teachers.push_back(train::with_open_batch(load_model(path)));
    if (settings.teacher_weight == 0) continue;
    train::DistillTerm term;
    term.teacher = result.teachers.size() - 1;
    term.temperature = settings.temperature;
    term.weight = settings.teacher_weight / static_cast<double>(settings.teachers.size());
    result.terms.push_back(term);
  }
  for (const std::string& text : settings.features) {
    result.terms.push_back(inner_term(text, train::DistillTerm::Kind::Feature, "--feature"));
  }
  for (const std::string& text : settings.blocks) {
    result.terms.push_back(inner_term(text, train::DistillTerm::Kind::Block, "--block"));
  }
  for (const std::string& text : settings.attention) {
    result.terms.push_back(inner_term(text, train::DistillTerm::Kind::Attention, "--attention"));
  }
  if (result.teachers.empty() && !result.terms.empty())
    throw UsageError("features, attention and blocks to learn from need a teacher");
  return result;
}

train::TrainOptions trainer_options(const TrainingSettings& settings, bool fresh, std::uint64_t seed, int threads) {
  const std::string chosen = settings.optimizer != "auto" ? settings.optimizer : fresh ? "sgd" : "adamw";
  const double usual_rate = chosen == "sgd" ? (fresh ? 0.1 : 0.01) : fresh ? 1e-3 : 5e-4;
  train::TrainOptions result;
  result.epochs = settings.epochs;
  result.batch_size = settings.batch;
  result.patience = settings.patience;
  result.keep_best = !settings.last;
  result.seed = seed;
  result.augment = parse_augment(settings.augment);
  result.augment_text = settings.augment;
  result.schedule.kind = train::schedule_from_name(settings.schedule);
  result.schedule.learning_rate = settings.learning_rate != 0 ? settings.learning_rate : usual_rate;
  result.schedule.final_rate = settings.final_rate;
  result.schedule.warmup_epochs = settings.warmup;
  result.schedule.gamma = settings.gamma;
  for (const std::string& text : settings.milestones) {
    char* end = nullptr;
    result.schedule.milestones.push_back(std::strtod(text.c_str(), &end));
    if (text.empty() || *end != 0) throw UsageError(cat("a milestone is an epoch, got ", adze::quoted(text)));
  }
  train::LearnerOptions& learner = result.learner;
  learner.optimizer.kind = train::optimizer_from_name(chosen);
  learner.optimizer.momentum = settings.momentum;
  learner.optimizer.nesterov = settings.nesterov;
  learner.optimizer.weight_decay = settings.weight_decay;
  learner.loss = train::loss_from_name(settings.loss);
  learner.precision = train::precision_from_name(settings.precision);
  learner.label_smoothing = settings.label_smoothing;
  learner.clip_norm = settings.clip_norm;
  learner.gradient_bits = static_cast<int>(settings.gradient_bits);
  learner.ema_decay = settings.ema;
  learner.freeze = settings.freeze;
  learner.keep_zeros = settings.keep_zeros;
  learner.keep_values = settings.keep_values;
  learner.threads = threads;
  return result;
}

namespace {

/// A network that takes numbers and a data set of pictures, say: told before the first step fails on it.
void check_samples_fit(const Graph& graph, const Dataset& data, const DataRequest& request) {
  const bool has_state = graph.metadata.contains("adze.state");  // samples are whole sequences
  if (graph.inputs().size() != 1 || has_state) return;
  const Value& input = graph.value(graph.inputs()[0]);
  if (!input.type.shape) return;
  constexpr std::int64_t looked_at = 16;  // what cannot be decoded is told by others
  std::optional<Sample> sample;
  for (std::int64_t i = 0; i < std::min(looked_at, data.size()) && !sample; ++i) sample = data.try_get(i);
  if (!sample) return;
  SymbolicShape any_batch = *input.type.shape;
  if (!any_batch.empty()) any_batch[0] = Dim();
  const Shape& given = sample->input.shape();
  if (compatible(any_batch, symbolic(given))) return;
  throw UsageError(cat("the data does not fit the network: ", sample->name, " of ", request.shown(), " gives ",
                       shape_text(given), ", the input ", adze::quoted(input.name), " takes ",
                       shape_text(*input.type.shape)),
                   "data of that shape, such as rows of a .npy or .csv file, or another network; --preprocess says "
                   "how pictures and sound are turned into the input");
}

}  // namespace

TrainingData open_training_data(const Graph& graph, const DataRequest& given, std::int64_t samples, double validation,
                                std::uint64_t seed) {
  DataRequest request = given;
  if (request.path == "demo") request.path = "demo:train";
  std::shared_ptr<const Dataset> all;
  if (request.split.empty()) {
    DataRequest train = request;
    train.split = "train";
    try {
      all = open_data(graph, train);
    } catch (const ModelError&) {
      const std::exception_ptr first = std::current_exception();
      try {
        all = open_data(graph, request);  // data without splits: all of it
      } catch (const ModelError& other) {
        if (other.hint().starts_with("--split"))
          std::rethrow_exception(first);  // there is a train split, and it does not fit
        throw;
      }
    }
  } else {
    all = open_data(graph, request);
  }
  check_samples_fit(graph, *all, request);
  if (samples > 0) all = subset(all, sample_indices(*all, samples, seed));
  if (!(validation >= 0) || validation > 0.9) {
    throw UsageError(cat("the share for validation is ", validation), "a share from 0 to 0.9");
  }
  const auto count = static_cast<std::int64_t>(validation * static_cast<double>(all->size()));
  if (count == 0) return {all, nullptr};
  const SplitIndices split = split_indices(*all, count, seed);
  return {subset(all, split.second), subset(all, split.first)};
}

}  // namespace adze
