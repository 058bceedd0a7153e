#include "adze/quantize/ptq.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/describe_weights.h"
#include "adze/quantize/diagnose.h"
#include "adze/quantize/float8.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/methods.h"
#include "adze/quantize/pack_codes.h"
#include "adze/quantize/placement.h"
#include "adze/quantize/states.h"
#include "adze/quantize/static.h"
#include "adze/quantize/weight_formats.h"
#include "adze/quantize/weights.h"
#include "adze/quantize/zero_shot.h"

namespace adze::quantize {

namespace {

void refuse_quantized(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const OpKind kind = graph.node(id).kind;
    if (kind == OpKind::QuantizeLinear || kind == OpKind::DequantizeLinear || kind == OpKind::DynamicQuantizeLinear ||
        kind == OpKind::QLinearConv || kind == OpKind::QLinearMatMul) {
      throw ModelError("the graph is quantized already", place_of(graph, graph.node(id)), "start from the float model");
    }
  }
}

std::string options_json(const PtqOptions& options, std::int64_t num_samples) {
  nlohmann::ordered_json json;
  json["mode"] = mode_name(options.mode);
  json["weights"] = granularity_text(options);
  if (options.mode == Mode::Static) {
    json["activations"] = options.activations == Symmetry::Symmetric ? "symmetric" : "asymmetric";
    json["activation_dtype"] = dtype_name(options.activation_dtype);
    json["calibrator"] = calibrator_name(options.calibrator);
    if (options.calibrator == Calibrator::Percentile) json["percentile"] = options.percentile;
    json["bits"] = bit_widths_text(options.bits);
    json["samples"] = num_samples;
    json["final_activation"] = options.final_activation == FinalActivation::Float ? "float" : "integer";
    json["first_layer_float"] = options.first_layer_float;
    json["last_layer_float"] = options.last_layer_float;
  }
  if (options.mode == Mode::Dynamic) json["rows"] = options.dynamic_rows;
  if (!options.format.empty()) json["format"] = options.format;
  if (options.state.is_quantized()) {
    json["state"] = state_dtype_name(options.state.dtype);
    json["state_scales"] = state_scales_name(options.state.scales);
  }
  if (options.methods.equalize) json["equalize"] = true;
  if (options.methods.bias_correction != BiasCorrection::None) {
    json["bias_correction"] = bias_correction_name(options.methods.bias_correction);
  }
  if (options.methods.rounding != Rounding::Nearest) json["rounding"] = rounding_name(options.methods.rounding);
  json["skip"] = options.skip;
  json["seed"] = options.seed;
  return json.dump();
}

/// What all modes end with.
void finish(QuantizeOutcome& outcome, const PtqOptions& options, std::int64_t num_samples) {
  Graph& graph = outcome.graph;
  outcome.report.num_samples = num_samples;
  graph.metadata["adze.quantization"] = options_json(options, num_samples);
  graph.metadata["adze.rounding"] = "onnx";
  erase_noted_statistics(graph);
  graph.compact();
  infer_types(graph);
  verify(graph);
}

void list_layers(const Graph& graph, QuantizeReport& report, const std::function<bool(NodeId)>& is_quantized) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (is_quantized(id)) {
      report.quantized_nodes.push_back(node.name);
    } else if (role_of(node.kind) == Role::Layer) {
      report.float_nodes.push_back(node.name);
    }
  }
}

/// The layers whose weights the report names are the quantized ones.
void list_layers_by_weights(const Graph& graph, QuantizeReport& report) {
  const std::vector<WeightReport>& weights = report.weights;
  list_layers(graph, report, [&](NodeId id) {
    return std::any_of(weights.begin(), weights.end(),
                       [&](const WeightReport& weight) { return weight.node == graph.node(id).name; });
  });
}

QuantizeOutcome quantize_without_data(Graph graph, const PtqOptions& options) {
  const Graph original = graph;
  const auto quantizer = options.mode == Mode::Dynamic ? quantize_dynamic
                         : options.format.empty()      ? quantize_weights_only
                                                       : quantize_weight_format;
  QuantizeOutcome outcome = quantizer(std::move(graph), options);
  list_layers_by_weights(original, outcome.report);
  finish(outcome, options, 0);
  return outcome;
}

}  // namespace

std::vector<ValueId> values_to_observe(const Graph& graph, const PtqOptions& options) {
  std::vector<ValueId> values;
  for (const ScaleGroup& group : place_quantizers(graph, options).groups) {
    for (const ValueId source : group.sources) {
      if (graph.constant(source) == nullptr) values.push_back(source);
    }
  }
  return values;
}

QuantizeOutcome quantize_observed(const Graph& graph, const Observations& observations, const PtqOptions& options) {
  check_options(options);
  const Placement placement = place_quantizers(graph, options);
  QuantizeOutcome outcome = insert_quantizers(graph, placement, observations, options);
  list_layers(graph, outcome.report, [&](NodeId id) { return placement.is_integer(id); });
  if (!options.keep_code_windows) clip_code_windows(outcome.graph);
  finish(outcome, options, observations.num_samples);
  return outcome;
}

QuantizeOutcome quantize(Graph graph, const CalibrationData& data, const PtqOptions& given, ProgressSink& progress) {
  check_options(given);
  refuse_quantized(graph);
  check_weights(graph);
  graph = prepared(std::move(graph));
  PtqOptions options = given;
  std::vector<StatePlan> states;
  std::int64_t state_samples = 0;
  if (options.state.is_quantized()) {
    states = plan_states(graph, options.state);
    state_samples = observe_states(graph, states, data, options, progress);
    for (std::string& name : appending_nodes(graph, states)) options.skip.push_back(std::move(name));
  }
  std::vector<std::string> lines = apply_before(graph, options, data, progress);
  QuantizeOutcome outcome;
  if (options.mode == Mode::Static) {
    const std::vector<ValueId> values = values_to_observe(graph, options);
    const HalvedObservations observations = options.methods.zero_shot
                                                ? HalvedObservations{observations_from_statistics(graph, values), {}}
                                                : observe_halves(graph, values, data, options.max_samples, progress);
    outcome = quantize_observed(graph, observations.all(), options);
    outcome.report.calibration = diagnose(graph, observations, options);
  } else if (options.mode == Mode::Float8) {
    const Observations observations =
        observe(graph, float8_inputs(graph, options), data, options.max_samples, progress);
    outcome = quantize_float8(graph, observations, options);
    list_layers_by_weights(graph, outcome.report);
    finish(outcome, options, observations.num_samples);
  } else if (options.mode == Mode::None) {
    outcome.graph = graph;
    finish(outcome, given, state_samples);
  } else {
    outcome = quantize_without_data(graph, options);
  }
  for (std::string& line : apply_after(graph, outcome.graph, options, data, progress)) lines.push_back(std::move(line));
  outcome.report.methods = std::move(lines);
  if (options.mode == Mode::Static || options.mode == Mode::WeightOnly) {
    describe_weights(graph, outcome.graph, options, outcome.report);
  }
  if (options.mode == Mode::Static || options.mode == Mode::WeightOnly) pack_codes(outcome.graph);
  if (!states.empty()) {
    for (std::string& line : quantize_states(outcome.graph, states, options)) {
      outcome.report.methods.push_back(std::move(line));
    }
  }
  return outcome;
}

std::vector<PtqCandidate> standard_candidates() {
  std::vector<PtqCandidate> candidates;
  for (const Calibrator calibrator : {Calibrator::Mse, Calibrator::Percentile, Calibrator::Max, Calibrator::Entropy}) {
    PtqOptions options;
    options.calibrator = calibrator;
    candidates.push_back({cat("int8-", calibrator_name(calibrator)), options});
  }
  PtqOptions per_tensor;
  per_tensor.weights = Granularity::PerTensor;
  candidates.push_back({"int8-per-tensor", per_tensor});
  PtqOptions weight_only;
  weight_only.mode = Mode::WeightOnly;
  candidates.push_back({"int8-weight-only", weight_only});
  return candidates;
}

}  // namespace adze::quantize
