#include "adze/recipe/slim.h"

#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/evaluator.h"
#include "adze/engine/session.h"

namespace adze {

namespace {

Shape shape_for(const Value& value, const std::map<std::string, Shape>& shapes) {
  if (const auto found = shapes.find(value.name); found != shapes.end()) return found->second;
  if (!value.type.shape) {
    throw UsageError(cat("the shape of input ", adze::quoted(value.name), " is not known"),
                     cat("--shapes ", value.name, ":1x3x224x224"));
  }
  Shape shape;
  for (const Dim& dim : *value.type.shape) shape.push_back(dim.is_known() ? dim.value : 1);
  return shape;
}

Tensor random_tensor(DType dtype, Shape shape, Random& random) {
  Tensor tensor(dtype == DType::Undefined ? DType::F32 : dtype, std::move(shape));
  if (tensor.dtype() == DType::String) return tensor;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (is_float(tensor.dtype())) {
      tensor.set_double(i, random.normal());
    } else if (is_signed_integer(tensor.dtype()) && dtype_bits(tensor.dtype()) <= 8) {
      tensor.set_int(i, integer_min(tensor.dtype()) +
                            static_cast<std::int64_t>(random.below(std::uint64_t{1} << dtype_bits(tensor.dtype()))));
    } else {
      tensor.set_int(i, static_cast<std::int64_t>(random.below(2)));  // valid as index, token or mask everywhere
    }
  }
  return tensor;
}

void compare_output(const Tensor& a, const Tensor& b, const std::string& name, Difference& worst) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) {
    throw ModelError(cat("output ", adze::quoted(name), " changed from ", type_text(a), " to ", type_text(b)));
  }
  if (a.dtype() == DType::String) return;
  double magnitude = 0, difference = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double x = a.get_double(i), y = b.get_double(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) {
      if (std::isfinite(x)) magnitude = std::max(magnitude, std::abs(x));
      continue;
    }
    const double gap = std::abs(x - y);
    difference = std::isfinite(gap) ? std::max(difference, gap) : INFINITY;
    if (std::isfinite(x)) magnitude = std::max(magnitude, std::abs(x));
  }
  const double relative = difference == 0 ? 0 : difference / std::max(magnitude, 1e-30);
  if (relative > worst.max_rel || worst.worst_output.empty()) {
    worst.max_rel = relative;
    worst.worst_output = name;
  }
  worst.max_abs = std::max(worst.max_abs, difference);
}

}  // namespace

std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed, const std::map<std::string, Shape>& shapes) {
  std::vector<Tensor> inputs;
  Random random(seed);
  for (const ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    inputs.push_back(random_tensor(value.type.dtype, shape_for(value, shapes), random));
  }
  return inputs;
}

Difference difference_on_random_inputs(const Graph& a, const Graph& b, std::uint64_t seed,
                                       const std::map<std::string, Shape>& shapes) {
  if (a.inputs().size() != b.inputs().size() || a.outputs().size() != b.outputs().size()) {
    throw ModelError("the two networks have different inputs or outputs");
  }
  const std::vector<Tensor> inputs = random_inputs(a, seed, shapes);
  const std::vector<Tensor> outputs_a = Session(a).run(inputs), outputs_b = Session(b).run(inputs);
  Difference worst;
  for (std::size_t i = 0; i < outputs_a.size(); ++i) {
    compare_output(outputs_a[i], outputs_b[i], a.value(a.outputs()[i]).name, worst);
  }
  return worst;
}

SlimOutcome slim(Graph graph, const SlimOptions& options, ProgressSink& progress) {
  SlimOutcome outcome{graph, {}, false, {}};
  rewrite::SimplifyOptions simplify_options;
  simplify_options.evaluate = reference::evaluator();
  simplify_options.steps.skip = options.skip;
  simplify_options.steps.progress = &progress;
  outcome.steps = rewrite::simplify(outcome.graph, simplify_options);
  outcome.graph.compact();
  const bool changed = std::any_of(outcome.steps.begin(), outcome.steps.end(),
                                   [](const rewrite::StepResult& step) { return step.changes > 0; });
  outcome.verified = options.verify;
  if (!options.verify || !changed) return outcome;
  outcome.difference = difference_on_random_inputs(graph, outcome.graph, options.seed, options.shapes);
  if (!(outcome.difference.max_rel <= options.tolerance)) {
    throw Error(ExitCode::GoalMissed,
                cat("the rewritten network differs: output ", adze::quoted(outcome.difference.worst_output), " by ",
                    outcome.difference.max_rel, " of its largest value, allowed ", options.tolerance),
                {graph.source_file, "", ""}, "--skip=STEP to find the step at fault");
  }
  return outcome;
}

}  // namespace adze
