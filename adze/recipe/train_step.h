#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adze/recipe/training_settings.h"

namespace adze {

/// Training as a step of a recipe: fine-tuning, training from fresh weights, quantization-aware, under teachers.
struct TrainStep {
  DataRequest data;
  std::int64_t samples = 0;  ///< 0: all
  bool fresh = false;        ///< the network's weights are random
  TrainingSettings settings;
  bool unfold_batch_norm = false;
  std::string bits;                ///< "w4a8": for quantized deployment; empty: in float
  std::string scales = "learned";  ///< how quantization scales move
  std::int64_t end_bits = 8;       ///< at least so many for the first and the last layer
  std::vector<std::string> layer_bits;
  std::int64_t calibration_samples = 256;

  bool quantization_aware() const { return !bits.empty(); }
};

struct TrainStepOutcome {
  Graph graph;                ///< as deployment runs it: integer operators' QDQ form after quantization-aware training
  bool quantized = false;     ///< it was trained for quantized deployment
  train::TrainResult result;  ///< its graph is in the form of training
  TrainingData data;
};

/// What a fresh network does to its input goes into its metadata, so that whoever runs it does the same: as the first
/// teacher does, if there is one; else for pictures numbers about 0 with a spread of about 1 (unless the request says
/// otherwise), for sound and text what the data says.
void record_inputs(Graph& graph, const TrainStep& step, const std::vector<Graph>& teachers, std::uint64_t seed);

/// Trains the graph; one that is statically quantized with its quantizers simulated, without that step.bits say so.
/// The facts of its weights (adze/graph/facts.h) hold afterwards. options: trainer_options() of step.settings, with
/// files, device and processes added. announce hears of the data before the training begins. Throws UsageError when the
/// settings exclude each other or a teacher wants its inputs prepared otherwise, ModelError when the network diverges.
TrainStepOutcome run_train_step(Graph graph, const TrainStep& step, train::TrainOptions options, ProgressSink& progress,
                                const std::function<void(const TrainingData&)>& announce = {});

}  // namespace adze
