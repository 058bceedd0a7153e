#include "cli/golden_runs.h"

#include "adze/base/error.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/evaluator.h"
#include "adze/engine/session.h"
#include "adze/graph/states.h"
#include "adze/plan/plan.h"
#include "adze/rewrite/integer_ports.h"
#include "adze/rewrite/simplify.h"

namespace adze::cli {

namespace {

Tensor random_input(const ValueType& type, Random& random) {
  Tensor tensor(type.dtype, *concrete(*type.shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (type.dtype == DType::S8) {
      tensor.set_int(i, static_cast<std::int64_t>(random.below(256)) - 128);
    } else if (type.dtype == DType::S16) {
      tensor.set_int(i, static_cast<std::int64_t>(random.below(65536)) - 32768);
    } else if (type.dtype == DType::U8) {
      tensor.set_int(i, static_cast<std::int64_t>(random.below(256)));
    } else {
      tensor.set_double(i, random.normal());
    }
  }
  return tensor;
}

/// The number zero as the input holds it.
Tensor zeros(const Graph& graph, ValueId id) {
  const ValueType& type = graph.value(id).type;
  Tensor tensor(type.dtype, *concrete(*type.shape));
  const std::int64_t zero = stored_zero(graph, id);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, static_cast<double>(zero));
  return tensor;
}

}  // namespace

Graph emittable(Graph graph, bool simplify, bool integer_ports) {
  if (simplify) {
    rewrite::SimplifyOptions options;
    options.evaluate = reference::evaluator();
    rewrite::simplify(graph, options);
  }
  if (integer_ports) rewrite::use_integer_ports(graph);
  return with_unknown_dims(std::move(graph), 1);
}

std::vector<emit::Golden> golden_runs(const Graph& graph, std::int64_t count, std::int64_t seed) {
  Random random(static_cast<std::uint64_t>(seed));
  std::vector<emit::Golden> runs;
  const auto states = graph.metadata.contains("adze.state") ? find_states(graph) : std::vector<StatePair>();
  Session session(graph, {});
  for (std::int64_t i = 0; i < count; ++i) {
    emit::Golden run;
    for (const ValueId id : graph.inputs()) run.inputs.push_back(random_input(graph.value(id).type, random));
    for (const auto& [in, out] : states)
      run.inputs[in] = i == 0 ? zeros(graph, graph.inputs()[in]) : runs.back().outputs[out];
    run.outputs = session.run(run.inputs);
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace adze::cli
