#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/encode/sparse.h"
#include "adze/prune/float_weights.h"
#include "adze/prune/gradients.h"
#include "adze/prune/sensitivity.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/slim.h"
#include "cli/prune_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

/// Rewritten without changing what it computes. Batch norms stay apart until the end: they are scored and trained.
Graph prepared(const PruneArguments& arguments, Console& console) {
  Graph graph = prune::with_float_weights(load_model(arguments.model));
  if (arguments.no_slim) return graph;
  SlimOptions options;
  options.skip = {"fold-batch-norms", "fold-scales"};
  return slim(std::move(graph), options, console.progress()).graph;
}

Graph finished(Graph graph, const PruneArguments& arguments, Console& console) {
  if (arguments.no_slim || arguments.keep_batch_norms) return graph;
  return slim(std::move(graph), {}, console.progress()).graph;
}

class Pruning {
 public:
  Pruning(Console& console, const PruneArguments& arguments)
      : console_(console), arguments_(arguments), seed_(static_cast<std::uint64_t>(console.options.seed)) {
    graph_ = prepared(arguments_, console_);
    options_ = arguments_.prune_options(seed_);
    if (arguments_.has_data()) open();
    if (!arguments_.start.empty()) inputs_.start = load_model(arguments_.start);
    const bool tunes = arguments_.training.epochs > 0;
    if (tunes && !data_.training) throw UsageError("--tune-epochs trains", "give --data");
    if (tunes) {
      inputs_.tune = [this](const Graph& graph, std::int64_t round) { return tuned(graph, round); };
    }
  }

  ExitCode run() {
    if (arguments_.dry_run) return dry_run();
    if (arguments_.sensitivity) return show_sensitivity();
    if (arguments_.output.empty()) throw UsageError("say where to write the pruned network", "-o pruned.onnx");
    console_.check_output(arguments_.output);
    if (!arguments_.report.empty()) console_.check_output(arguments_.report);
    const prune::PruneOutcome outcome = arguments_.max_drop.empty()
                                            ? prune::prune(graph_, options_, inputs_, console_.progress())
                                            : prune_within_drop();
    const Graph result = finished(outcome.graph, arguments_, console_);
    save_model(result, arguments_.output, {21, false, arguments_.sparse});
    if (!options_.channels) show_sparse_size(result);
    console_.model("input", arguments_.model);
    console_.model("output", arguments_.output);
    show_pruning(console_, outcome, options_.channels);
    const ModelFigures before = model_figures(graph_, "before", arguments_.model);
    const ModelFigures after = model_figures(result, "after", arguments_.output);
    console_.table(before_after_table(before, after));
    if (!arguments_.report.empty()) write_pruning_report(console_, outcome, arguments_, graph_, result);
    console_.line(cat("next: adze evaluate ", arguments_.output, " --data …; adze bench ", arguments_.output));
    return ExitCode::Done;
  }

 private:
  /// What the weights take when zeros are told by bits or runs.
  void show_sparse_size(const Graph& graph) {
    std::int64_t dense = 0, compact = 0;
    for (const prune::Layer& layer : prune::weight_layers(graph)) {
      dense += graph.constant(layer.weight)->num_bytes();
      compact += encode::sparse_size(*graph.constant(layer.weight)).bytes;
    }
    console_.line(
        cat("weights of layers: ", bytes_text(dense), " dense, ", bytes_text(compact), " with zeros as bits or runs"));
    console_.results()["sparse_bytes"] = compact;
    console_.results()["dense_bytes"] = dense;
  }

  void open() {
    data_ = arguments_.training.open_data(graph_, console_.options);
    const auto indices = sample_indices(*data_.training, arguments_.samples, seed_);
    auto batches = calibration_data(graph_, data_.training, indices);
    inputs_.batches = {batches.num_batches, batches.batch};
    inputs_.gradients = [this](const Graph& graph) {
      constexpr std::int64_t batch_size = 16;
      const int threads = console_.options.threads > 0 ? static_cast<int>(console_.options.threads) : 0;
      return prune::training_gradients(graph, data_.training, arguments_.gradient_batches, batch_size, seed_,
                                       std::max(1, threads));
    };
  }

  Graph tuned(const Graph& graph, std::int64_t round) {
    train::TrainOptions options = arguments_.training.trainer_options(console_.options, false);
    options.learner.keep_zeros = !options_.channels;
    options.seed = seed_ + static_cast<std::uint64_t>(round);
    const train::TrainResult result =
        train::train(graph, data_.training, data_.validation, options, console_.progress());
    for (const train::EpochResult& epoch : result.epochs) {
      console_.results()["tuning"].push_back({{"round", round},
                                              {"epoch", epoch.epoch},
                                              {"loss", epoch.loss},
                                              {"validation_accuracy", epoch.validation_accuracy}});
    }
    const auto best = static_cast<std::size_t>(std::max<std::int64_t>(1, result.best_epoch) - 1);
    console_.line(cat("round ", round, ": ", fixed(100 * result.epochs.at(best).validation_accuracy, 2),
                      " % on validation data after ", result.epochs.size(), " epochs"));
    return result.graph;
  }

  ExitCode dry_run() {
    const prune::Groups groups = prune::find_groups(graph_);
    show_groups(console_, graph_, groups, prune::score_groups(graph_, groups, options_, inputs_, console_.progress()));
    return ExitCode::Done;
  }

  ExitCode show_sensitivity() {
    const prune::Groups groups = prune::find_groups(graph_);
    const auto scores = prune::score_groups(graph_, groups, options_, inputs_, console_.progress());
    const std::vector<double> ratios = {0.1, 0.25, 0.5, 0.75};
    const auto measured =
        prune::measure_sensitivity(graph_, groups, scores, ratios, inputs_.batches, console_.progress());
    Table table({"group", "units", "10 %", "25 %", "50 %", "75 %"},
                "Squared error of the outputs over their square when a share of one group goes");
    for (const prune::GroupSensitivity& one : measured) {
      const prune::Group& group = groups.groups[one.group];
      std::vector<std::string> row = {group.name, cat(group.size)};
      for (const double error : one.errors) row.push_back(fixed(error, 5));
      table.add_row(row);
      console_.results()["sensitivity"].push_back({{"group", group.name}, {"ratios", ratios}, {"errors", one.errors}});
    }
    console_.table(table);
    return ExitCode::Done;
  }

  double accuracy(const Graph& graph) {
    EvaluateOptions options;
    options.batch_size = batch_size_for(graph, 32);
    options.samples = arguments_.judge_samples;
    options.seed = seed_;
    const EvaluateResult result = evaluate(make_runner(graph), *data_.validation, options, console_.progress());
    if (result.task != Task::Classification) throw UsageError("--max-drop needs data with class labels");
    return result.top1;
  }

  /// The largest of 32 ratios that costs no more accuracy than allowed, by halving.
  prune::PruneOutcome prune_within_drop() {
    if (!data_.validation) throw UsageError("--max-drop is judged on validation data", "--data, --validation 0.1");
    const double allowed = parse_fraction(arguments_.max_drop, "--max-drop");
    const double dense = accuracy(graph_);
    prune::PruneOptions options = options_;
    options.target_macs.reset();
    options.target_params.reset();
    options.ratio = 0;
    prune::PruneInputs untuned = inputs_;
    untuned.tune = {};
    prune::PruneOutcome best = prune::prune(graph_, options, untuned, console_.progress());
    double low = 0, high = options_.limits.max_ratio;
    for (int step = 0; step < 5; ++step) {
      options.ratio = (low + high) / 2;
      prune::PruneOutcome candidate = prune::prune(graph_, options, inputs_, console_.progress());
      const double drop = dense - accuracy(candidate.graph);
      console_.line(cat("ratio ", fixed(options.ratio, 3), ": ", fixed(100 * drop, 2), " points lost of ",
                        fixed(100 * dense, 2), " %"));
      console_.results()["tried"].push_back({{"ratio", options.ratio}, {"drop", drop}});
      if (drop <= allowed) {
        low = options.ratio;
        best = std::move(candidate);
      } else {
        high = options.ratio;
      }
    }
    console_.results()["ratio"] = low;
    return best;
  }

  Console& console_;
  const PruneArguments& arguments_;
  std::uint64_t seed_;
  Graph graph_;
  prune::PruneOptions options_;
  prune::PruneInputs inputs_;
  TrainingData data_;
};

}  // namespace

Verb prune_verb() {
  return {"prune", "Remove channels, or zero weights, that matter least",
          "  adze prune model.onnx --dry-run\n"
          "  adze prune model.onnx -o small.onnx --ratio 0.3 --criterion l1\n"
          "  adze prune model.onnx -o small.onnx --target-macs 0.5 --criterion taylor --data cifar10 --reconstruct\n"
          "  adze prune model.onnx -o small.onnx --target-macs 0.5 --schedule iterative --rounds 5 --tune-epochs 3 \\\n"
          "    --data cifar10 --augment \"crop=4 flip\"\n"
          "  adze prune model.onnx -o sparse.onnx --unit 2:4 --surgeon --data cifar10\n"
          "  adze prune model.onnx -o small.onnx --max-drop 0.5% --data cifar10\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<PruneArguments>();
            arguments->training.epochs = 0;
            arguments->declare(options);
            return [arguments](Console& console) { return Pruning(console, *arguments).run(); };
          }};
}

}  // namespace adze::cli
