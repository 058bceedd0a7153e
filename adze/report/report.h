#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adze/report/table.h"

namespace adze {

/// A proportion measured on samples, with its 95 % interval.
struct AccuracyFigure {
  std::string metric = "top-1";
  double value = 0;          ///< in [0, 1]
  double low = 0, high = 0;  ///< Wilson interval
  std::int64_t correct = 0, samples = 0;
};

/// Latency of one inference at batch 1, in microseconds.
struct LatencyFigure {
  double p50_us = 0, p90_us = 0, p99_us = 0, min_us = 0;
  std::int64_t runs = 0;
  int threads = 1;
  std::string isa;
};

/// What one model costs and how well it does.
struct ModelFigures {
  std::string name;
  std::string path;
  std::string sha256;
  std::int64_t file_bytes = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t sparse_bytes = 0;  ///< weights with zeros told by bits or runs; 0: not looked at
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t peak_activation_bytes = 0;
  std::int64_t arena_bytes = 0;
  std::optional<AccuracyFigure> accuracy;
  std::optional<LatencyFigure> latency;
};

/// One recipe that was tried.
struct TrialFigures {
  std::string name;
  std::string verdict;  ///< "chosen", "within limits", or why it was refused
  bool within_limits = false;
  bool chosen = false;
  ModelFigures figures;
  double drop = 0;                     ///< accuracy lost against the original, in [-1, 1]
  double drop_low = 0, drop_high = 0;  ///< paired 95 % interval of the drop
  double p_value = 1;                  ///< exact McNemar test of "no difference"
  double seconds = 0;
};

/// One layer of the chosen network.
struct LayerFigures {
  std::string name, op, output, weight_type;
  std::int64_t macs = 0, parameters = 0, weight_bytes = 0;
  std::optional<double> sqnr_db;  ///< of its output, against the float network on the same samples
  std::optional<double> weight_sqnr_db;
  std::optional<double> saturated;  ///< share of output values outside the quantized range, in [0, 1]
};

/// Distribution of one value before quantization, with the range that was chosen.
struct HistogramFigure {
  std::string name;
  double low = 0, high = 0;  ///< of the bins
  std::vector<double> counts;
  double chosen_low = 0, chosen_high = 0;
  double scale = 0;
  std::int64_t zero_point = 0;
  double saturated = 0;
  std::vector<double> after;  ///< the quantized network's values in the same bins; empty: not looked at
};

/// Which share of one activation's values lies at the ends of its codes, by channel; several channels share a cell
/// where there are many.
struct SaturationFigure {
  std::string name;
  std::int64_t channels = 0;
  std::vector<double> lowest, highest;  ///< at the first and at the last code, in [0, 1]
  std::vector<double> cut_off;          ///< beyond them by more than half a step
  double most_cut_off = 0;              ///< of a single channel
  std::int64_t worst_channel = 0;
};

/// Some kernels of one convolution, before and after quantization, in rows.
struct KernelFigure {
  std::string name;
  int bits = 8;
  std::int64_t height = 0, width = 0, columns = 0;
  std::int64_t colours = 1;          ///< 3: red, green, blue
  bool by_input = false;             ///< rows are filters, columns input channels
  std::vector<float> before, after;  ///< [kernel, colour, height, width]
};

/// Distribution of one value's error: the quantized network's value minus the float network's.
struct ErrorHistogramFigure {
  std::string name;
  double limit = 0;  ///< the bins reach from -limit to limit, the largest error
  std::vector<double> counts;
  double sqnr_db = 0;
};

/// Distribution of a layer's weights before and after quantization, and of the difference.
struct WeightHistogramFigure {
  std::string name;
  int bits = 8;
  double limit = 0;  ///< the bins reach from -limit to limit
  std::vector<double> before, after;
  double error_limit = 0;
  std::vector<double> errors;
  double sqnr_db = 0;
};

/// What quantizing one layer alone does, width by width.
struct SensitivityFigure {
  std::string layer;
  std::int64_t weights = 0;
  std::vector<int> bits;
  std::vector<double> damage;  ///< output noise by signal; not a number where it was not looked at
  int chosen = 0;              ///< bits that it got, 32 in float; 0: nothing was chosen
};

struct StepFigures {
  std::string name;
  int changes = 0;
  double seconds = 0;
};

/// One epoch of a training run. Accuracies in [0, 1], 0 where there are no labels.
struct EpochFigures {
  std::int64_t epoch = 0;
  double loss = 0, accuracy = 0;
  double validation_loss = 0, validation_accuracy = 0;
  double learning_rate = 0;
  double samples_per_second = 0, seconds = 0;
  bool best = false;
};

/// One group of channels, or one layer whose weights were zeroed, over the rounds of pruning.
struct PruningFigures {
  std::string name;
  std::int64_t size = 0;     ///< channels or weights before
  std::vector<double> left;  ///< share that is left after each round
  std::string removed;       ///< which channels went, for people: "3 5 17"
  double smallest_kept = 0;  ///< score; 0: none
  double largest_removed = 0;
  std::vector<double> scores;      ///< of each channel, when it went or in the last round; empty: not scored so
  std::vector<std::int64_t> went;  ///< the round in which each channel went; 0: it stays
};

/// The network after one round of pruning.
struct PruningRoundFigures {
  std::string name;  ///< "round 1", "epoch 3"
  double left = 1;   ///< share of the MACs, or of the weights where those become 0
  std::int64_t macs = 0, parameters = 0;
  std::optional<double> cut;       ///< accuracy right after cutting, in [0, 1]
  std::optional<double> accuracy;  ///< after the training that followed
};

/// How right the two networks are about one class or group.
struct SliceFigures {
  std::string name;
  std::int64_t samples = 0, correct_before = 0, correct_after = 0;
};

/// A sample that was right before and is wrong after.
struct MistakeFigures {
  std::string sample, label, after;
};

/// A drawing that is shown as it is.
struct PictureFigure {
  std::string title;
  std::string svg;  ///< self-contained
};

/// All that the HTML file and the JSON show.
struct Report {
  std::string title;
  std::string command;  ///< to repeat it
  std::string recipe;   ///< TOML text
  std::string data;     ///< what the accuracy was measured on
  std::uint64_t seed = 0;
  std::string refusal;  ///< why the result was not written, at the top of the page; empty: it was
  std::vector<std::string> notes;
  ModelFigures before;
  std::optional<ModelFigures> after;
  std::vector<TrialFigures> trials;
  std::vector<StepFigures> steps;
  std::vector<LayerFigures> layers;
  std::vector<HistogramFigure> histograms;
  std::vector<ErrorHistogramFigure> error_histograms;
  std::vector<WeightHistogramFigure> weight_histograms;
  std::vector<SaturationFigure> saturation;
  std::vector<KernelFigure> kernels;
  std::vector<SensitivityFigure> sensitivity;
  std::vector<EpochFigures> epochs;
  std::vector<PruningFigures> pruning;
  std::string pruning_why;  ///< by what scores and shares it was decided what goes
  std::vector<PruningRoundFigures> pruning_rounds;
  std::vector<SliceFigures> slices;
  std::vector<MistakeFigures> new_mistakes;
  std::vector<PictureFigure> pictures;  ///< of pruning
};

/// Rows of figures, one column for each of the two models and one for the change.
Table before_after_table(const ModelFigures& before, const ModelFigures& after);
Table trials_table(const std::vector<TrialFigures>& trials);

/// The report as JSON text (object "adze.report/1").
std::string report_json(const Report& report);
/// One self-contained HTML page: no network, data embedded, light and dark, printable.
std::string report_html(const Report& report);

/// "76.48 % ± 1.2" from a proportion and its interval.
std::string accuracy_text(const AccuracyFigure& accuracy);
/// "183 µs", "1.2 ms"
std::string latency_text(double microseconds);

}  // namespace adze
