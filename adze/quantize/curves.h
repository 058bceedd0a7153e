#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/quantize/trials.h"

namespace adze::quantize {

/// One width of a layer, what it costs and what it does.
struct WidthPoint {
  int bits = 8;       ///< of the weights; float_bits: in float, without damage
  double damage = 0;  ///< output noise relative to the signal when the layer alone is quantized so
};

/// How a layer's damage falls with its width.
struct LayerCurve {
  std::string node;
  std::int64_t weights = 0;
  std::int64_t macs = 0;           ///< of one sample
  std::vector<WidthPoint> points;  ///< by bits, ascending
};

/// What storing one layer's weights in so many bits adds to the time of the whole network, against 8 bits.
struct WidthTime {
  std::string problem;    ///< LatencyTrials::problem
  int bits = 8;           ///< as stored (stored_widths), or float_bits
  double change_us = 0;   ///< negative: faster
  double error_us = 0;    ///< standard error of the whole networks' difference
  bool of_steps = false;  ///< measured on the layer's own steps, since the networks' difference drowned in noise
};

struct LatencyTrialOptions {
  double seconds = 0.3;  ///< for each pair of networks
  int least_rounds = 15, most_rounds = 300;
  int threads = 0;  ///< as many as set_num_threads says
};

/// The widths at which a layer is looked at, ascending.
using WidthsOf = std::function<std::vector<int>(const Node& layer)>;

/// Measures every layer at every width, one at a time, activations as the options say. What the file holds already is
/// not measured again, provided that it was written for the same network, options and samples (key); every new point is
/// written at once, so that an interrupted run goes on where it was. No file: pass an empty path.
/// Other widths and times that the file holds stay in it. Throws UsageError when the file holds something else.
std::vector<LayerCurve> sensitivity_curves(const Trials& trials, const WidthsOf& widths, int activation_bits,
                                           const std::filesystem::path& file, const std::string& key,
                                           ProgressSink& progress);

/// The curves as JSON, schema "adze.sensitivity/1", and back. ModelError on anything else.
std::string print_curves(const std::vector<LayerCurve>& curves, const std::string& key,
                         const std::vector<WidthTime>& times = {});
std::vector<LayerCurve> parse_curves(const std::string& text, std::string& key,
                                     std::vector<WidthTime>* times = nullptr);

}  // namespace adze::quantize
