#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "adze/train/trainer.h"

namespace adze::train {

/// One epoch as a line of JSON, and back.
std::string epoch_text(const EpochResult& epoch);
EpochResult epoch_from(const std::string& text);

/// What decides the bytes of a run's result, as JSON: by it a checkpoint is recognised.
std::string job_of(const Graph& graph, std::int64_t samples, const TrainOptions& options);
/// Throws UsageError naming the first setting that differs, when a checkpoint is of another job.
void check_job(const std::string& wanted, const std::string& found, const std::filesystem::path& path);

}  // namespace adze::train
