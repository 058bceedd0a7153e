#pragma once

#include "adze/data/dataset.h"
#include "adze/quantize/ptq.h"
#include "adze/report/report.h"

namespace adze {

/// Puts what quantization did into a report: layers with their signal-to-noise ratios, histograms of activations,
/// weights and errors, kernels. exact: the network before quantization; data: samples to run both on, null for none.
void add_quantization(Report& report, const Graph& exact, const Graph& quantized,
                      const quantize::QuantizeReport& quantization, const Dataset* data, ProgressSink& progress);

/// Of calibration, for add_codes: shares by channel do not get better with more.
inline constexpr std::int64_t most_code_samples = 256;

/// Adds where activations fall on their codes: saturation by channel, and each histogram's counterpart in the quantized
/// network. After add_quantization; calibration: what the ranges were learned from, at most so many samples of it.
void add_codes(Report& report, const Graph& quantized, const quantize::CalibrationData& calibration,
               std::int64_t max_samples, ProgressSink& progress);

}  // namespace adze
