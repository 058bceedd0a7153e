#include "cli/prune_options.h"

#include <algorithm>
#include <cstdlib>

#include "adze/base/text.h"

namespace adze::cli {

void PruneArguments::declare(Options& options) {
  options.positional(model, "MODEL", "Float model: ONNX, TFLite or .adze text");
  options.option(output, "-o,--output", "File to write");
  options.option(
      unit, "-u,--unit",
      "What goes: channels (also neurons, heads, hidden units; removed), blocks, layers (gone around), merged "
      "(activations and layers whose neighbours then become one layer), weights, rows, 2:4, block=8x1 (zeroed)");
  options.option(
      criterion, "-c,--criterion",
      "What matters least: l1, l2, lamp, random, bn-scale, fpgm; with data apoz, mean-activation, wanda, "
      "leave-one-out; with labels gradient, taylor, taylor2, fisher, dropout-rate, l0-gates; with --start movement; "
      "sums as 0.5*taylor+l1");
  normalization = "auto";
  options.choice(normalization, "--normalize",
                 "Scores of a group are divided by their …, or become standard scores or places; auto: places for "
                 "squares of gradients, which spread over decades, else mean",
                 {"auto", "mean", "max", "sum", "l2", "standard", "rank", "none"});
  options.option(ratio, "-r,--ratio", "Share of channels or weights that goes; default 0.3");
  options.option(target_macs, "--target-macs", "Share of the MACs that is to remain");
  options.option(target_params, "--target-params", "Share of the parameters that is to remain");
  options.option(target_latency, "--target-latency", "Share of the measured cost that is to remain (--device)");
  options.flag(on_steps, "--on-steps",
               "Keep the channels that cost nothing, by the measured staircase, and refuse cuts that cross no step");
  options.flag(staircase, "--staircase", "Only measure what the network costs with fewer channels of each group");
  options.option(points, "--points", "Numbers of channels that a staircase tries for each group");
  options.option(drawing, "--drawing", "SVG of the staircases");
  options.option(device, "--device",
                 "Costs are instructions on this emulated device (adze device list) instead of time in the engine");
  options.option(slices, "--slices", "CSV with columns sample and group: accuracy by class and group before and after");
  options.option(max_slice_drop, "--max-slice-drop", "Of any class or group: 5%; else nothing is written");
  options.option(max_drop, "--max-drop",
                 "Find the largest ratio that costs at most so much accuracy on validation data: 0.5% (channels and "
                 "weights)");
  options.choice(spread, "--spread", "Over layers: one threshold, the same share, or by measured sensitivity",
                 {"global", "layer", "sensitivity"});
  options.choice(schedule, "--schedule",
                 "All at once; in rounds with training between; zeros that grow while training (gradual) or move "
                 "(regrow); rounds that go back to the first weights (lottery)",
                 {"oneshot", "iterative", "gradual", "regrow", "lottery"});
  options.option(rounds, "--rounds", "Of the iterative and lottery schedules; 0: 5");
  options.option(training.epochs, "--tune-epochs", "Epochs of training after each round; needs --data with labels");
  options.option(change_every, "--change-every", "gradual, regrow: steps from one change to the next");
  options.option(state, "--state", "Folder that keeps all trainings: the same command goes on where it was ended");
  options.option(rewind, "--rewind", "lottery: epoch of the first training whose weights are gone back to");
  options.flag(control, "--control", "lottery: train each mask on shuffled first weights too");
  options.choice(penalty, "--penalty", "Train before pruning with a pull on channels (docs/pruning.md)",
                 {"none", "scales", "groups", "growing", "cost"});
  options.option(penalty_strength, "--penalty-strength", "0: what suits");
  options.option(penalty_epochs, "--penalty-epochs", "Epochs of that training; 0: as --tune-epochs");
  options.option(widen, "--widen",
                 "Then widen all groups by one factor to this share of the first network's MACs (MorphNet), and train");
  options.flag(distil, "--distil", "Fine-tune with the dense network as teacher besides the labels");
  options.option(training.temperature, "--temperature", "Softens the outputs for --distil");
  options.option(round_to, "--round-to", "Kept channels are a multiple of this where the layer's were");
  options.option(min_units, "--min-units", "That every group keeps");
  options.option(max_ratio, "--max-ratio", "The most that one group or layer loses");
  options.option(layer_ratio, "--layer-ratio",
                 "PATTERN=SHARE: what goes of these nodes or operators; --ratio and targets settle the others (may be "
                 "repeated)");
  options.option(skip, "--skip", "Nodes or operators that keep their weights, with * and ? (may be repeated)");
  options.flag(reconstruct, "--reconstruct", "Least squares of the layers behind removed channels; needs --data");
  options.flag(surgeon, "--surgeon", "Zero weights as SparseGPT does, correcting those that stay; needs --data");
  options.option(start, "--start", "The model before it was trained, for movement");
  options.flag(dry_run, "--dry-run", "Only show the groups of channels, their scores, and what cannot be removed");
  options.flag(sensitivity, "--sensitivity", "Only show what shares of each group do to the outputs; needs --data");
  options.flag(no_slim, "--no-slim", "Do not rewrite the model first");
  options.flag(keep_batch_norms, "--keep-batch-norms", "Do not fold batch norms at the end");
  options.flag(sparse, "--sparse", "Write weights that are mostly 0 as sparse initializers");
  options.option(report, "--report", "HTML page: what went and why, round by round, accuracy with --data");
  training.data.declare(options, "-d,--data", "Data to measure and train on; its train split where it has one",
                        Options::Need::Optional);
  options.option(samples, "--samples", "Samples that activations, sensitivity and inputs are measured on");
  options.option(gradient_batches, "--gradient-batches", "Batches of 16 samples that gradients are measured on");
  options.option(judge_samples, "--judge-samples", "Validation samples for limits on accuracy and the report; 0: all");
  options.option(training.data.samples, "--train-samples", "Train on so many samples; 0: all");
  options.option(training.validation, "--validation", "Share of the training data that epochs are judged on");
  options.option(training.batch, "--batch", "Samples in one training step");
  options.option(training.learning_rate, "--learning-rate,--lr", "Highest learning rate; 0: what suits");
  options.choice(training.optimizer, "--optimizer", "Of the training", {"auto", "sgd", "adam", "adamw"});
  options.option(training.augment, "--augment", "Variations: \"crop=4 flip\" (docs/data.md)");
}

namespace {

prune::Normalization usual_normalization(const prune::CriterionSum& criteria) {
  const std::vector<prune::Needs> needs = prune::needs_of(criteria);
  const bool squares = std::any_of(needs.begin(), needs.end(), [](prune::Needs one) {
    return one == prune::Needs::Gradients || one == prune::Needs::DropoutRates;
  });
  return squares ? prune::Normalization::Rank : prune::Normalization::Mean;
}

/// "Conv_1=0.5"
prune::OwnRatio parse_layer_ratio(const std::string& text) {
  const std::size_t sign = text.rfind('=');
  char* end = nullptr;
  prune::OwnRatio own{text.substr(0, sign),
                      sign == std::string::npos ? -1 : std::strtod(text.c_str() + sign + 1, &end)};
  if (own.pattern.empty() || end == nullptr || *end != 0 || !(own.ratio >= 0 && own.ratio < 1)) {
    throw UsageError(cat("cannot read --layer-ratio ", adze::quoted(text)),
                     "as Conv_1=0.5 or \"stage2*=0.3\": the share that goes, from 0 to below 1");
  }
  return own;
}

}  // namespace

prune::PruneOptions PruneArguments::prune_options(std::uint64_t seed) const {
  prune::PruneOptions result;
  result.channels = unit == "channels" || unit == "blocks" || unit == "layers" || unit == "merged";
  if (unit == "blocks") result.depth = prune::Depth::Blocks;
  if (unit == "layers") result.depth = prune::Depth::Layers;
  if (unit == "merged") result.depth = prune::Depth::Merged;
  if (!result.channels) result.pattern = prune::parse_pattern(unit);
  result.criteria = prune::parse_criteria(criterion);
  result.normalization =
      normalization == "auto" ? usual_normalization(result.criteria) : prune::normalization_from_name(normalization);
  result.spread = spread == "layer"         ? prune::Spread::ByGroup
                  : spread == "sensitivity" ? prune::Spread::Sensitivity
                                            : prune::Spread::Global;
  if ((ratio != not_given) + (target_macs > 0) + (target_params > 0) + (target_latency > 0) + !max_drop.empty() > 1) {
    throw UsageError("--ratio, --target-macs, --target-params, --target-latency and --max-drop exclude each other",
                     "one of them; --max-drop looks for the ratio itself");
  }
  if (target_latency > 0) result.target_latency = target_latency;
  result.on_steps = on_steps;
  result.staircase.points = points;
  result.step_tolerance = device.empty() ? 0.01 : 0;
  if (ratio != not_given) result.ratio = ratio;
  if (target_macs > 0) result.target_macs = target_macs;
  if (target_params > 0) result.target_params = target_params;
  for (const double target : {target_macs, target_params, target_latency}) {
    if (!(target >= 0 && target < 1)) throw UsageError("a target is the share that remains, above 0 and below 1");
  }
  if (ratio != not_given && !(ratio >= 0 && ratio < 1)) {
    throw UsageError(cat("the ratio is ", ratio), "the share that goes, from 0 to below 1");
  }
  if (!(max_ratio >= 0 && max_ratio <= 1)) throw UsageError("--max-ratio is a share, from 0 to 1");
  result.limits = {round_to, min_units, max_ratio};
  result.rounds = schedule == "iterative" ? num_rounds() : 1;
  result.reconstruct = reconstruct;
  result.surgeon = surgeon;
  result.skip = skip;
  for (const std::string& text : layer_ratio) result.own.push_back(parse_layer_ratio(text));
  result.seed = seed;
  if (ratio != not_given && !result.channels && result.pattern.kind == prune::Pattern::Kind::NM) {
    throw UsageError(cat("--unit ", unit, " says itself how many weights go"), "leave --ratio out");
  }
  if (result.depth && criterion != "l2") {
    throw UsageError(cat("--unit ", unit, " takes what changes the outputs least"), "leave --criterion out");
  }
  const bool trains_zeros = schedule == "gradual" || schedule == "regrow" || schedule == "lottery";
  if (trains_zeros && result.channels) throw UsageError(cat("--schedule ", schedule, " is for --unit weights"));
  if ((schedule == "regrow" || schedule == "lottery") && !goes_by_magnitude()) {
    throw UsageError(cat("--schedule ", schedule, " goes by magnitudes"), "--schedule gradual takes any --criterion");
  }
  if (schedule == "lottery" && distil) {
    throw UsageError("tickets are trained without a teacher", "adze distill, or adze train TICKET --teacher MODEL");
  }
  if (!result.own.empty() && (trains_zeros || result.depth || result.pattern.kind == prune::Pattern::Kind::NM)) {
    throw UsageError("--layer-ratio is for channels, weights and blocks, one-shot or iterative");
  }
  if (penalty != "none" && !result.channels) throw UsageError("--penalty is for --unit channels");
  if ((target_latency > 0 || on_steps || staircase) && !result.channels) {
    throw UsageError("zero weights are not measured here", "--unit channels, or adze bench on the result");
  }
  if (reconstruct && !result.channels)
    throw UsageError("--reconstruct is for --unit channels", "--surgeon for weights");
  if (surgeon && result.channels) throw UsageError("--surgeon is for weights", "--reconstruct for --unit channels");
  const bool shares_fixed = surgeon || trains_zeros || result.pattern.kind == prune::Pattern::Kind::NM;
  if (!result.channels && shares_fixed && result.spread == prune::Spread::Sensitivity) {
    throw UsageError("--spread sensitivity is for criteria, one-shot or iterative, and not for N:M", "--spread layer");
  }
  return result;
}

}  // namespace adze::cli
