#include "adze/data/feature_statistics.h"

#include <cmath>

#include "adze/base/error.h"
#include "adze/data/batches.h"

namespace adze {

namespace {

constexpr double least_deviation = 1e-3;  // of a column that hardly changes
constexpr double decimals = 1e4;          // enough, and the metadata stay readable

double rounded(double value) {
  return std::round(value * decimals) / decimals;
}

struct Column {
  double sum = 0, squares = 0;
  std::int64_t count = 0;
};

}  // namespace

std::optional<std::string> measured_preprocessing(const Dataset& dataset, std::int64_t samples, std::uint64_t seed) {
  const auto metadata = dataset.metadata();
  const auto found = metadata.find("adze.preprocessing");
  if (found == metadata.end()) return std::nullopt;
  Preprocessing how = parse_preprocessing_json(found->second);
  if (!how.sound || how.sound->kind == SoundFeature::Waveform || !how.mean.empty() || !how.stddev.empty()) {
    return std::nullopt;
  }
  const bool cepstral = how.sound->kind == SoundFeature::Mfcc;
  std::vector<Column> columns(static_cast<std::size_t>(cepstral ? how.sound->coefficients : how.sound->mels));
  for (const std::int64_t index : sample_indices(dataset, samples, seed)) {
    const auto sample = dataset.try_get(index);
    if (!sample || sample->input.dtype() != DType::F32) continue;
    std::size_t at = 0;
    for (const float value : sample->input.data<float>()) {
      Column& column = columns[at];
      column.sum += value;
      column.squares += double{value} * double{value};
      ++column.count;
      at = at + 1 == columns.size() ? 0 : at + 1;
    }
  }
  for (const Column& column : columns) {
    if (column.count == 0) throw ModelError("no sound could be read");
    const auto count = static_cast<double>(column.count);
    const double mean = column.sum / count, variance = column.squares / count - mean * mean;
    how.mean.push_back(rounded(mean));
    how.stddev.push_back(rounded(std::max(std::sqrt(std::max(variance, 0.0)), least_deviation)));
  }
  return preprocessing_json(how);
}

}  // namespace adze
