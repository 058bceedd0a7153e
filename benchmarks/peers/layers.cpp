#include "benchmarks/peers/layers.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "adze/base/text.h"

namespace adze::peers {

namespace {

constexpr double seconds_of_runs = 0.3;
constexpr int least_runs = 10;

/// What a convolution is, by its weights [out, in, height, width] and stride; empty: nothing that is listed.
std::string kind_of(const Graph& graph, const Node& node) {
  const auto& type = graph.value(node.inputs.at(1)).type;
  const auto weights = type.shape ? concrete(*type.shape) : std::nullopt;
  if (!weights || weights->size() != 4 || (*weights)[2] != (*weights)[3]) return {};
  const std::int64_t out = (*weights)[0], in = (*weights)[1], side = (*weights)[2];
  const std::int64_t groups = node.get_int("group", 1);
  const std::vector<std::int64_t> strides = node.get_ints("strides");
  constexpr std::int64_t many = 128, few = 4;
  if (groups == out && in == 1 && (side == 3 || side == 5)) {
    return cat("depthwise ", side, "x", side, ", stride ", strides.empty() ? 1 : strides[0]);
  }
  if (groups != 1) return {};
  if (in <= few && (side == 3 || side == 7)) return cat("first layer, ", side, "x", side);
  if ((side == 1 || side == 3) && in >= many && out >= many) return cat(side, "x", side, ", 128 and more channels");
  return {};
}

}  // namespace

void add_layers(std::vector<Layer>& layers, const LayerRun& run) {
  std::map<std::string, std::string> kinds;
  for (const NodeId id : run.graph.node_ids()) {
    const Node& node = run.graph.node(id);
    if (node.kind != OpKind::Conv) continue;
    if (std::string kind = kind_of(run.graph, node); !kind.empty()) kinds[node.name] = std::move(kind);
  }
  if (kinds.empty()) return;
  Session session(run.graph, run.options);
  std::vector<Tensor> outputs = session.run(run.inputs);
  session.profile(true);
  const auto begin = std::chrono::steady_clock::now();
  const auto spent = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  for (int i = 0; i < least_runs || spent() < seconds_of_runs; ++i) session.run_into(run.inputs, outputs);
  for (const StepInfo& step : session.steps()) {
    const auto kind = kinds.find(step.name);
    if (kind == kinds.end() || step.macs == 0 || step.least_seconds <= 0) continue;
    layers.push_back({kind->second, run.network, run.precision, step.macs, step.least_seconds});
  }
}

}  // namespace adze::peers
