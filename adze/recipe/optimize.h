#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "adze/recipe/recipe.h"
#include "adze/report/report.h"

namespace adze {

/// What the search makes small among the networks that keep to the limit.
enum class Goal : std::uint8_t {
  Balanced,  ///< the geometric mean of file size and arena, each relative to the original
  Size,      ///< the file
  Memory,    ///< the arena
  Latency,   ///< the measured median: the only goal whose choice may differ from run to run
};

/// What the search may lose, and on what it judges.
struct OptimizeOptions {
  DataRequest data;  ///< with train and test splits, or one set that is then divided (recipe/data_parts.h)
  Goal goal = Goal::Balanced;
  double max_drop = 0.01;  ///< largest loss of top-1 allowed, as a fraction (0.01 = one point)
  std::int64_t calibration_samples = 256;
  std::int64_t validation_samples = 2000;  ///< for choosing; never used for calibration or the final figures
  std::int64_t test_samples = 0;           ///< for the final figures; 0: all
  std::int64_t max_reverts = 4;            ///< layers that may go back to float when nothing else keeps to the limit
  double latency_seconds = 1.0;            ///< time for measuring each model's latency
  std::uint64_t seed = 0;
  std::string command;  ///< recorded in the report
};

struct OptimizeOutcome {
  Report report;  ///< before, after (when one was found), everything tried
  Recipe recipe;  ///< of the chosen network
  Graph graph;    ///< the chosen network; the best one seen when none kept to the limit
  bool within_limit = false;
  bool test_within_limit = false;  ///< the final, independent figures also keep to the limit
};

/// Tries recipes and chooses one. The original and each candidate are judged on the same validation samples; a
/// candidate keeps to the limit when the upper end of its drop's one-sided 95 % interval does (paired, Newcombe 1998).
/// Among those the goal decides; within 2 % of the best, the more accurate one. When none does, the most sensitive
/// layers go back to float one after the other. The winner is then judged on test samples that nothing before has seen.
/// Throws UsageError when the data is too small to be divided.
OptimizeOutcome optimize(const Graph& graph, const OptimizeOptions& options,
                         ProgressSink& progress = silent_progress());

}  // namespace adze
