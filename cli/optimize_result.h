#pragma once

#include <filesystem>

#include "adze/recipe/optimize.h"
#include "cli/console.h"

namespace adze::cli {

/// Writes model.onnx, recipe.toml, report.html and report.json into the folder, prints the tables, fills the JSON
/// result. Returns GoalMissed when nothing kept to the limit.
ExitCode present(Console& console, OptimizeOutcome& outcome, const std::filesystem::path& original,
                 const std::filesystem::path& folder);

/// Creates the folder when needed; UsageError when it holds results already and --force was not given.
void prepare_folder(const Console& console, const std::filesystem::path& folder);

}  // namespace adze::cli
