#include <cmath>

#include "adze/prune/measuring.h"
#include "adze/prune/reconstruct.h"

namespace adze::prune {

namespace {

struct Moments {
  std::vector<double> sum, square;
  double count = 0;
};

void add(Moments& moments, const Tensor& x) {
  const auto channels = static_cast<std::size_t>(x.dim(1));
  moments.sum.resize(channels);
  moments.square.resize(channels);
  const auto data = x.data<float>();
  const std::size_t inner = data.size() / (static_cast<std::size_t>(x.dim(0)) * channels);
  for (std::size_t block = 0; block * inner < data.size(); ++block) {
    for (const float value : data.subspan(block * inner, inner)) {
      moments.sum[block % channels] += value;
      moments.square[block % channels] += static_cast<double>(value) * value;
    }
  }
  moments.count += static_cast<double>(data.size() / channels);
}

Moments measure(const Graph& graph, const std::string& name, const Batches& batches) {
  Moments moments;
  Session session(graph, measuring_options());
  session.observe([&](std::string_view seen, const Tensor& x) {
    if (seen == name) add(moments, x);
  });
  for (std::int64_t i = 0; i < batches.count; ++i) {
    check_cancelled();
    session.run(batches.batch(i));
  }
  return moments;
}

}  // namespace

int estimate_batch_norms(Graph& graph, const Batches& batches, ProgressSink& progress) {
  std::vector<NodeId> norms;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    const Tensor* mean = graph.constant(node.input(3));
    if (node.kind == OpKind::BatchNormalization && mean != nullptr && mean->dtype() == DType::F32) norms.push_back(id);
  }
  if (norms.empty()) return 0;
  if (batches.count == 0) throw ModelError("no data to estimate batch norms on");
  ProgressPhase phase(progress, "batch norms", static_cast<std::int64_t>(norms.size()), "layers");
  for (const NodeId id : norms) {
    const Moments moments = measure(graph, graph.value(graph.node(id).input(0)).name, batches);
    if (moments.count == 0) continue;
    const ValueId mean_id = graph.node(id).input(3), variance_id = graph.node(id).input(4);
    const auto mean = graph.value(mean_id).constant->mutable_data<float>();
    const auto variance = graph.value(variance_id).constant->mutable_data<float>();
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const double average = moments.sum[i] / moments.count;
      mean[i] = static_cast<float>(average);
      variance[i] = static_cast<float>(std::max(0.0, moments.square[i] / moments.count - average * average));
    }
    phase.advance();
  }
  return static_cast<int>(norms.size());
}

}  // namespace adze::prune
