#include "adze/recipe/data_parts.h"

#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/data/subset.h"

namespace adze {

namespace {

/// The split of that name, or null when the data has none.
std::shared_ptr<Dataset> try_split(const Graph& graph, DataRequest request, const std::string& split) {
  if (!request.split.empty()) return nullptr;
  if (request.path == "demo") {
    request.path = cat("demo:", split);
  } else {
    request.split = split;
  }
  try {
    return open_data(graph, request);
  } catch (const ModelError&) {
    return nullptr;
  }
}

void check_sizes(const DataParts& parts) {
  constexpr std::int64_t least = 20;
  if (parts.calibration->size() > 0 && parts.validation->size() >= least && parts.test->size() >= least) return;
  throw UsageError(
      cat("the data is too small to choose and to test on separate samples: ", parts.calibration->size(),
          " for calibration, ", parts.validation->size(), " for validation, ", parts.test->size(), " for testing"),
      "more data, or smaller --calibration-samples and --validation-samples");
}

}  // namespace

DataParts divide_data(const Graph& graph, const DataRequest& request, const PartSizes& sizes, std::uint64_t seed) {
  DataParts parts;
  parts.calibration_request = request;
  const std::shared_ptr<Dataset> train = try_split(graph, request, "train");
  const std::shared_ptr<Dataset> test = train ? try_split(graph, request, "test") : nullptr;
  const std::shared_ptr<Dataset> source = test ? train : open_data(graph, request);
  const SplitIndices split = split_indices(*source, sizes.calibration, seed);
  parts.calibration = subset(source, split.first);
  const auto rest = subset(source, split.second);
  if (test) {
    if (request.path == "demo") {
      parts.calibration_request.path = "demo:train";
      parts.calibration_request.name.clear();
    } else {
      parts.calibration_request.split = "train";
    }
    parts.validation = subset(rest, sample_indices(*rest, sizes.validation, seed + 1));
    parts.test = subset(test, sample_indices(*test, sizes.test, seed));
    parts.description = cat(request.shown(), ", test part");
  } else {
    const SplitIndices halves = split_indices(*rest, std::min(rest->size() / 2, sizes.validation), seed + 1);
    parts.validation = subset(rest, halves.first);
    const auto untouched = subset(rest, halves.second);
    parts.test = subset(untouched, sample_indices(*untouched, sizes.test, seed));
    parts.description = cat(request.shown(), " (samples that the search never saw)");
  }
  check_sizes(parts);
  return parts;
}

}  // namespace adze
