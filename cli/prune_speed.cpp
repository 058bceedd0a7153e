#include "cli/prune_speed.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/evaluate/latency.h"
#include "adze/plan/plan.h"
#include "adze/prune/criteria.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/slim.h"

namespace adze::cli {

namespace {

bool skips_zeros(const StepInfo& step) {
  return step.kernel.rfind("spmm", 0) == 0;
}

/// Share of the MACs that kernels do which skip zeros.
double skipping_share(const std::vector<StepInfo>& steps) {
  std::int64_t all = 0, skipping = 0;
  for (const StepInfo& step : steps) {
    all += step.macs;
    if (skips_zeros(step)) skipping += step.macs;
  }
  return static_cast<double>(skipping) / static_cast<double>(std::max<std::int64_t>(1, all));
}

/// The smallest share of zeros in the pattern at which the engine skips them in most of the network; 0: none does.
double share_that_pays(const Graph& dense, const prune::Pattern& pattern) {
  const std::vector<prune::Layer> layers = prune::weight_layers(dense);
  for (const double ratio : {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}) {
    Graph sparse = dense;
    for (const prune::Layer& layer : layers) {
      const auto scores = prune::weight_scores(prune::Criterion::L1, sparse, layer, {});
      prune::apply_mask(sparse, layer, prune::choose_mask(scores, layer, pattern, ratio));
    }
    Session session(sparse);
    session.run(random_inputs(sparse, 1));
    if (skipping_share(session.steps()) > 0.5) return ratio;
  }
  return 0;
}

std::string hint_for_zeros(const Graph& dense) {
  const double blocks = share_that_pays(dense, prune::parse_pattern("block=8x1"));
  const double single = share_that_pays(dense, prune::parse_pattern("weights"));
  if (blocks == 0 && single == 0) return "on this machine the engine skips zeros in none of its layers";
  const auto text = [](double share) { return share > 0 ? cat("from ", fixed(100 * share, 0), " %") : "never"; };
  return cat("the engine would skip most of this network's zeros in blocks (--unit block=8x1) ", text(blocks),
             ", single ones ", text(single));
}

void show_skipping(Console& console, const Graph& dense, const std::vector<StepInfo>& steps) {
  std::vector<std::string> skipping;
  for (const StepInfo& step : steps) {
    if (skips_zeros(step)) skipping.push_back(step.name);
  }
  const double share = skipping_share(steps);
  console.results()["skipping_zeros"] = {{"layers", skipping}, {"share_of_macs", share}};
  console.line(cat("zeros are skipped in ", skipping.size(), " of ", prune::weight_layers(dense).size(),
                   " layers, which do ", fixed(100 * share, 0), " % of the MACs"));
  if (share < 0.5) console.line(hint_for_zeros(dense));
}

}  // namespace

void show_speed(Console& console, const Graph& dense, const Graph& pruned, const std::optional<prune::Pattern>& pattern,
                ModelFigures& before, ModelFigures& after) {
  SlimOptions slimming;
  slimming.verify = false;
  const Graph first = with_unknown_dims(slim(dense, slimming, silent_progress()).graph, 1);
  const Graph second = with_unknown_dims(slim(pruned, slimming, silent_progress()).graph, 1);
  LatencyOptions options;
  options.warm_up_seconds = 0.03;
  options.seconds = 0.3;
  options.min_runs = 6;
  const PairedLatency paired = measure_paired_latency(first, second, options, console.progress());
  before.latency = latency_figure(paired.first);
  after.latency = latency_figure(paired.second);
  console.results()["speedup"] = {
      {"times", paired.speedup}, {"low", paired.speedup_low}, {"high", paired.speedup_high}};
  console.line(cat("on this machine: ", speedup_text(paired)));
  if (pattern) return show_skipping(console, first, paired.second.steps);
  const double fewer_macs =
      static_cast<double>(before.macs) / static_cast<double>(std::max<std::int64_t>(1, after.macs));
  if (paired.speedup_high < 0.8 * fewer_macs) {
    console.line(
        cat("that is less than ", fixed(fewer_macs, 2),
            " times fewer MACs: kernels work on whole vectors of channels; --round-to 16 (or 8) keeps them full, "
            "--on-steps measures what each cut saves"));
  }
}

}  // namespace adze::cli
