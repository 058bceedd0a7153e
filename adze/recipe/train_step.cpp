#include "adze/recipe/train_step.h"

#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/data/feature_statistics.h"
#include "adze/data/preprocessing.h"
#include "adze/graph/facts.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/qat.h"
#include "adze/recipe/slim.h"
#include "adze/train/batch_norm.h"

namespace adze {

namespace {

/// The network quantized by calibration and brought into the form in which quantization is trained.
Graph quantization_aware_form(const Graph& graph, const TrainStep& step, const TrainingData& data, std::uint64_t seed,
                              ProgressSink& progress) {
  quantize::PtqOptions options;
  options.bits = quantize::parse_bit_widths(step.bits);
  options.end_bits = static_cast<int>(step.end_bits);
  options.layer_bits = quantize::parse_layer_bits(step.layer_bits);
  options.keep_code_windows = true;
  options.seed = seed;
  SlimOptions slimming;
  slimming.verify = false;
  const Graph plain = quantize::prepared(slim(graph, slimming, progress).graph);
  const auto indices = sample_indices(*data.training, step.calibration_samples, seed);
  const auto outcome = quantize::quantize(plain, calibration_data(plain, data.training, indices), options, progress);
  return quantize::qat_training_form(outcome.graph, plain, quantize::qat_scales_from_name(step.scales));
}

/// Calibration samples, one batch after the other.
train::BatchSource batch_source(const Graph& graph, const TrainStep& step, const TrainingData& data,
                                std::uint64_t seed) {
  const auto indices = sample_indices(*data.training, step.calibration_samples, seed);
  auto batches = std::make_shared<quantize::CalibrationData>(calibration_data(graph, data.training, indices));
  auto next = std::make_shared<std::int64_t>(0);
  return [batches, next]() -> std::optional<std::vector<Tensor>> {
    if (*next == batches->num_batches) return std::nullopt;
    return batches->batch((*next)++);
  };
}

constexpr const char* preprocessing_key = "adze.preprocessing";

/// Teacher and student are given the same numbers, so both must want their samples prepared alike.
void check_teachers(const Graph& student, const std::vector<Graph>& teachers) {
  const std::string wanted = preprocessing_json(preprocessing_of(student));
  for (const Graph& teacher : teachers) {
    const std::string found = preprocessing_json(preprocessing_of(teacher));
    if (found == wanted) continue;
    throw UsageError(cat("the teacher ", teacher.source_file,
                         " wants its inputs prepared otherwise than the student: ", found, ", not ", wanted),
                     "--preprocess changes the student's; a fresh student takes the first teacher's");
  }
}

bool takes_pictures(const Graph& graph) {
  const auto& shape = graph.value(graph.inputs().at(0)).type.shape;
  return shape && shape->size() == 4 && (*shape)[1].value == 3;
}

}  // namespace

void record_inputs(Graph& graph, const TrainStep& step, const std::vector<Graph>& teachers, std::uint64_t seed) {
  std::string flags = step.data.preprocessing;
  const bool as_teacher = step.fresh && flags.empty() && !teachers.empty();
  if (flags.empty() && step.fresh && !as_teacher && takes_pictures(graph)) flags = "scale=1/255 mean=0.5 std=0.25";
  if (as_teacher) {
    const auto found = teachers[0].metadata.find(preprocessing_key);
    if (found != teachers[0].metadata.end()) graph.metadata[preprocessing_key] = found->second;
  } else if (!flags.empty()) {
    graph.metadata[preprocessing_key] = preprocessing_json(parse_preprocessing_flags(flags, preprocessing_of(graph)));
  }
  const TrainingData data = open_training_data(graph, step.data, step.samples, step.settings.validation, seed);
  if (step.fresh && !as_teacher) {
    // Sound: features of mean 0 and spread 1 in each column, as measured.
    constexpr std::int64_t samples = 500;
    if (const auto measured = measured_preprocessing(*data.training, samples, seed)) {
      graph.metadata[preprocessing_key] = *measured;
    }
  }
  // Features of sound, the vocabulary of text.
  for (const auto& [key, value] : data.training->metadata()) graph.metadata.try_emplace(key, value);
}

TrainStepOutcome run_train_step(Graph graph, const TrainStep& step, train::TrainOptions options, ProgressSink& progress,
                                const std::function<void(const TrainingData&)>& announce) {
  const std::uint64_t seed = options.seed;
  options.learner.distill = distill_options(step.settings);
  record_inputs(graph, step, options.learner.distill.teachers, seed);
  check_teachers(graph, options.learner.distill.teachers);
  const TrainingData data = open_training_data(graph, step.data, step.samples, step.settings.validation, seed);
  if (step.unfold_batch_norm) {
    if (step.quantization_aware()) {
      throw UsageError("quantization-aware training excludes unfolding batch norms: deployment folds them");
    }
    graph = train::unfold_batch_norms(graph, batch_source(graph, step, data, seed));
  }
  const bool starts_quantized = quantize::is_statically_quantized(graph);
  if (starts_quantized && step.quantization_aware()) {
    throw UsageError("the network is quantized already: leave the bits out, it is trained with those that it has");
  }
  const bool quantized = starts_quantized || step.quantization_aware();
  if (starts_quantized) {
    graph = quantize::qat_training_form(std::move(graph), Graph(), quantize::qat_scales_from_name(step.scales));
  } else if (quantized) {
    graph = quantization_aware_form(graph, step, data, seed, progress);
  }
  if (announce) announce(data);
  train::TrainResult result = train::train(graph, data.training, data.validation, options, progress);
  check_weight_facts(graph, result.graph, weight_facts(graph));
  Graph deployed = quantized ? quantize::qat_deployment_form(result.graph) : result.graph;
  return {std::move(deployed), quantized, std::move(result), data};
}

}  // namespace adze
