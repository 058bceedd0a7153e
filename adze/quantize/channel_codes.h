#pragma once

#include <string>
#include <vector>

#include "adze/quantize/calibration.h"

namespace adze::quantize {

/// Where the values of one quantized activation fall on its codes, channel by channel; shares in [0, 1].
struct ChannelCodes {
  std::string value;                    ///< its name in the float graph
  std::vector<double> lowest, highest;  ///< by channel: at the first and at the last code
  std::vector<double> cut_off;          ///< of them, those more than half a step beyond: what saturation loses
  double scale = 1;
  double low = 0;                   ///< the real number of the first code
  std::vector<std::int64_t> codes;  ///< how many values each code got, from low in steps of scale; empty for f8
};

/// Runs a quantized network over data, at most so many samples (0: all), and looks at every activation that a
/// QuantizeLinear with one constant scale reads. Channels are the second axis; the last one for values of three axes in
/// networks without one-dimensional convolutions. A Clip from 0 that stands for a rectifier cuts nothing off below.
/// Throws what Session throws; ModelError when the data holds no sample.
std::vector<ChannelCodes> channel_codes(const Graph& quantized, const CalibrationData& data, std::int64_t max_samples,
                                        ProgressSink& progress);

}  // namespace adze::quantize
