#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adze/data/dataset.h"

namespace adze {

/// The "adze.preprocessing" of a data set of sound, with mean and std of each column of its features as measured on so
/// many random samples: what a fresh network should see. Nothing for other data, waveforms, and where mean or std were
/// given already. Throws ModelError when no sample can be read.
std::optional<std::string> measured_preprocessing(const Dataset& dataset, std::int64_t samples, std::uint64_t seed);

}  // namespace adze
