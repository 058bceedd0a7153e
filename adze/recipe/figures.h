#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adze/evaluate/evaluate.h"
#include "adze/evaluate/latency.h"
#include "adze/graph/graph.h"
#include "adze/report/report.h"

namespace adze {

/// What the network costs: its file, parameters, MACs and memory plan. Unknown dimensions count as 1. For quantized
/// networks the memory is that of the integer path. file may be empty: then the file's figures stay 0.
ModelFigures model_figures(const Graph& graph, std::string name, const std::filesystem::path& file = {});

/// A row for every operator, in execution order, with its costs; errors and saturation left open.
std::vector<LayerFigures> layer_figures(const Graph& graph);

AccuracyFigure accuracy_figure(const EvaluateResult& result);
LatencyFigure latency_figure(const LatencyResult& result);

/// "1.82 times as fast (95 % interval 1.80 to 1.84)"
std::string speedup_text(const PairedLatency& paired);

}  // namespace adze
