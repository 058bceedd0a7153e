#include "adze/prune/lottery.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/train/job.h"

namespace adze::prune {

namespace {

/// The values of one graph's constants into another's of the same names.
void copy_constants(Graph& into, const Graph& from) {
  for (std::int32_t i = 0; i < into.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (std::as_const(into).constant(id) == nullptr) continue;
    const ValueId other = from.find_value(into.value(id).name);
    const Tensor* value = other == ValueId::None ? nullptr : from.constant(other);
    if (value != nullptr && value->shape() == into.constant(id)->shape() &&
        value->dtype() == into.constant(id)->dtype())
      into.value(id).constant = *value;
  }
}

class Lottery {
 public:
  Lottery(const Graph& graph, const LotteryOptions& options, const LotteryTrainer& trainer, ProgressSink& progress)
      : graph_(graph),
        options_(options),
        trainer_(trainer),
        progress_(progress),
        start_(graph),
        layers_(weight_layers(graph, options.skip)) {
    if (layers_.empty()) throw ModelError("no weights of this network can be pruned");
    if (!(options.ratio > 0) || options.ratio >= 1) {
      throw UsageError(cat("the ratio is ", options.ratio), "the share that goes after each round, between 0 and 1");
    }
    for (const Layer& layer : layers_) masks_.emplace_back(static_cast<std::size_t>(layer.rows * layer.columns), 1);
    check_folder();
  }

  LotteryOutcome run() {
    for (std::int64_t round = 0; round <= options_.rounds; ++round) {
      if (round > 0) shrink();
      Graph trained = one_round(masked(start_), round, false);
      if (options_.control && round > 0) {
        one_round(masked(shuffled_weights(start_, options_.skip, options_.seed + 1)), round, true);
      }
      outcome_.trained = std::move(trained);
    }
    outcome_.ticket = masked(start_);
    return std::move(outcome_);
  }

 private:
  std::filesystem::path file(std::int64_t round, bool control, std::string_view extension) const {
    return options_.folder / cat(control ? "control-" : "round-", round < 10 ? "0" : "", round, extension);
  }

  void check_folder() const {
    if (options_.folder.empty()) return;
    std::filesystem::create_directories(options_.folder);
    const std::string job =
        cat("ratio ", options_.ratio, " rewind ", options_.rewind, " by_layer ", options_.by_layer, " unit ",
            pattern_text(options_.pattern), " seed ", options_.seed, " skip ", join(options_.skip, ","), "\n");
    const auto path = options_.folder / "job.txt";
    if (!std::filesystem::exists(path)) return write_file(path, job);
    if (const std::string found = read_text_file(path); found != job) {
      throw UsageError(cat(options_.folder.string(), " holds the rounds of another job: ", found), "another --state");
    }
  }

  Graph masked(Graph graph) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) apply_mask(graph, layers_[i], masks_[i]);
    return graph;
  }

  /// Trained, or read from an earlier run.
  Graph one_round(const Graph& start, std::int64_t round, bool control) {
    LotteryRound result;
    result.round = round;
    result.control = control;
    double kept = 0, all = 0;
    for (const Mask& mask : masks_) {
      const auto left = static_cast<double>(std::count(mask.begin(), mask.end(), 1));
      result.layers.push_back(left / static_cast<double>(mask.size()));
      kept += left;
      all += static_cast<double>(mask.size());
    }
    result.left = kept / all;
    Graph trained = graph_;
    const auto log = file(round, control, ".jsonl"), model = file(round, control, ".onnx");
    if (!options_.folder.empty() && std::filesystem::exists(log)) {
      copy_constants(trained, onnx::read(model));
      for (const std::string& line : split(read_text_file(log), '\n')) {
        if (!line.empty()) result.epochs.push_back(train::epoch_from(line));
      }
      if (round == 0) read_start();
      progress_.note(cat(log.string(), " is there already"));
    } else {
      train::TrainResult found = trainer_(start, hook(start, round), round, control);
      copy_constants(trained, found.graph);
      result.epochs = std::move(found.epochs);
      if (round == 0) read_start();  // an earlier run may have passed the epoch that is gone back to
      keep(trained, result, model, log);
    }
    outcome_.rounds.push_back(std::move(result));
    if (!control) smallest_of(trained);
    return trained;
  }

  void read_start() {
    const auto path = options_.folder / "start.onnx";
    if (options_.folder.empty() || options_.rewind <= 0 || !std::filesystem::exists(path)) return;
    copy_constants(start_, onnx::read(path));
  }

  train::StepHook hook(const Graph& start, std::int64_t round) {
    train::StepHook masks = mask_hook(start, options_.skip);
    if (round > 0 || options_.rewind <= 0) return masks;
    return [this, masks](train::Learner& learner, std::int64_t step, std::int64_t steps) {
      masks(learner, step, steps);
      if (step != std::llround(options_.rewind * static_cast<double>(steps))) return;
      copy_constants(start_, learner.graph());
      if (!options_.folder.empty()) onnx::write(start_, options_.folder / "start.onnx");
    };
  }

  /// The log last: where it is, the round is whole.
  void keep(const Graph& trained, const LotteryRound& round, const std::filesystem::path& model,
            const std::filesystem::path& log) const {
    if (options_.folder.empty()) return;
    onnx::write(trained, model);
    std::string text;
    for (const train::EpochResult& epoch : round.epochs) text += train::epoch_text(epoch) + "\n";
    write_file(log, text);
  }

  void smallest_of(const Graph& trained) {
    magnitudes_.clear();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const std::vector<float> weights = weight_matrix(trained, layers_[i]);
      std::vector<double> scores(weights.size());
      for (std::size_t k = 0; k < scores.size(); ++k) scores[k] = masks_[i][k] == 0 ? -1 : std::abs(weights[k]);
      magnitudes_.push_back(std::move(scores));
    }
  }

  void shrink() {
    const double gone = 1 - outcome_.rounds.back().left;
    const double ratio = 1 - (1 - gone) * (1 - options_.ratio);
    if (!options_.by_layer) {
      masks_ = choose_masks(magnitudes_, layers_, options_.pattern, ratio, options_.max_ratio);
      return;
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      masks_[i] = choose_mask(magnitudes_[i], layers_[i], options_.pattern, ratio);
    }
  }

  const Graph& graph_;
  const LotteryOptions& options_;
  const LotteryTrainer& trainer_;
  ProgressSink& progress_;
  Graph start_;
  std::vector<Layer> layers_;
  std::vector<Mask> masks_;
  std::vector<std::vector<double>> magnitudes_;  ///< of the last training
  LotteryOutcome outcome_;
};

}  // namespace

train::StepHook mask_hook(const Graph& graph, const std::vector<std::string>& skip) {
  std::vector<std::pair<std::string, Tensor>> masks;
  for (const Layer& layer : weight_layers(graph, skip)) {
    const Tensor& weight = *graph.constant(layer.weight);
    const auto data = weight.data<float>();
    if (std::find(data.begin(), data.end(), 0.0F) == data.end()) continue;
    Tensor mask(DType::Bool, weight.shape());
    for (std::size_t i = 0; i < data.size(); ++i) mask.set_int(static_cast<std::int64_t>(i), data[i] != 0 ? 1 : 0);
    masks.emplace_back(graph.value(layer.weight).name, std::move(mask));
  }
  return [masks = std::move(masks)](train::Learner& learner, std::int64_t step, std::int64_t) {
    if (step != 0) return;
    for (const auto& [name, mask] : masks) learner.set_mask(name, mask);
  };
}

Graph shuffled_weights(Graph graph, const std::vector<std::string>& skip, std::uint64_t seed) {
  for (const Layer& layer : weight_layers(graph, skip)) {
    Random random = Random(seed).split(static_cast<std::uint64_t>(layer.weight));
    const std::vector<float> weights = weight_matrix(graph, layer);
    const auto order = random_permutation(static_cast<std::int64_t>(weights.size()), random);
    std::vector<float> mixed(weights.size());
    for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = weights[static_cast<std::size_t>(order[i])];
    set_weight_matrix(graph, layer, mixed);
  }
  return graph;
}

LotteryOutcome find_ticket(const Graph& graph, const LotteryOptions& options, const LotteryTrainer& trainer,
                           ProgressSink& progress) {
  return Lottery(graph, options, trainer, progress).run();
}

}  // namespace adze::prune
