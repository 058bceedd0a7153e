#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/quantize/trials.h"

namespace adze::quantize {

/// One width of a layer, what it costs and what it does.
struct WidthPoint {
  int bits = 8;       ///< of the weights
  double damage = 0;  ///< output noise relative to the signal when the layer alone is quantized so
};

/// How a layer's damage falls with its width.
struct LayerCurve {
  std::string node;
  std::int64_t weights = 0;
  std::int64_t macs = 0;           ///< of one sample
  std::vector<WidthPoint> points;  ///< by bits, ascending
};

/// Measures every layer at every width, one at a time, activations as the options say. What the file holds already is
/// not measured again, provided that it was written for the same network, options and samples (key); every new point is
/// written at once, so that an interrupted run goes on where it was. No file: pass an empty path.
/// Throws UsageError when the file holds something else.
std::vector<LayerCurve> sensitivity_curves(const Trials& trials, const std::vector<int>& widths, int activation_bits,
                                           const std::filesystem::path& file, const std::string& key,
                                           ProgressSink& progress);

/// The curves as JSON, schema "adze.sensitivity/1", and back. ModelError on anything else.
std::string print_curves(const std::vector<LayerCurve>& curves, const std::string& key);
std::vector<LayerCurve> parse_curves(const std::string& text, std::string& key);

}  // namespace adze::quantize
