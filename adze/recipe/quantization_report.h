#pragma once

#include "adze/data/dataset.h"
#include "adze/quantize/ptq.h"
#include "adze/report/report.h"

namespace adze {

/// Puts what quantization did into a report: layers with their signal-to-noise ratios, histograms of activations,
/// weights and errors. exact: the network before quantization; data: samples to run both on, null for none.
void add_quantization(Report& report, const Graph& exact, const Graph& quantized,
                      const quantize::QuantizeReport& quantization, const Dataset* data, ProgressSink& progress);

}  // namespace adze
