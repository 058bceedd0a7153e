#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "adze/train/learner.h"

namespace adze::train {

/// A training run at one moment: enough to go on to the same bytes.
struct Checkpoint {
  std::string job;     ///< JSON of the options that decide the result, to refuse another job's file
  std::string status;  ///< JSON of the loop's own numbers: epoch, step, sums, history
  State tensors;
};

/// Written whole or not at all. Layout: "adze checkpoint 1\n", the header's length in 8 bytes, a JSON header that lists
/// the tensors with offset and CRC-32, their bytes.
void write_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);

/// Throws ModelError naming the file when it is no checkpoint, cut short or damaged.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace adze::train
