#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/states.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/options.h"
#include "adze/quantize/ranges.h"

namespace adze::quantize {

/// How one state is kept between calls.
struct StatePlan {
  StatePair pair;
  std::optional<std::int64_t> growing_axis;
  StateScales scales = StateScales::Tensor;  ///< never Auto
  Shape scale_shape;                         ///< of the state's rank, 1 where scales are shared; not of Token
  std::vector<Range> ranges;                 ///< one for each scale; not of Token
};

/// The plans of all states that find_states sees in f32, ranges still empty. Throws UsageError when there are none.
std::vector<StatePlan> plan_states(const Graph& graph, const StateOptions& options);

/// Runs the float graph over the data, whose batches hold states as calls before them left them, and learns the ranges
/// of the states' outputs; of those that grow, of what each call adds. One histogram for a whole state or a head, with
/// the options' calibrator; channels by their mean and deviation, as if normally distributed (ranges.h, aciq_threshold;
/// their extremes with Calibrator::Max). Returns how many samples there were.
std::int64_t observe_states(const Graph& graph, std::vector<StatePlan>& plans, const CalibrationData& data,
                            const PtqOptions& options, ProgressSink& progress);

/// The nodes that append to the planned states: static quantization leaves them to quantize_states.
std::vector<std::string> appending_nodes(const Graph& graph, const std::vector<StatePlan>& plans);

/// Makes the states' inputs and outputs codes of options.state.dtype:
///   a state that grows by Concat of its input: Concat of codes, of which only the new ones are made in a call, and all
///   that reads it reads them decoded, so that results do not depend on how a sequence is cut into calls;
///   others: DequantizeLinear behind the input, QuantizeLinear before the output.
/// Scales of channels and heads are factors and offsets around the operators, those of tokens (largest magnitude of the
/// last axis) a second state NAME_scale in f16. Where a state does not grow, its zero stays code 0. Writes the pairs
/// into the metadata "adze.state"; returns a line for each kind of state about what was done.
/// Source  scales of keys by channel, of values by token: Liu et al., KIVI, arXiv:2402.02750
std::vector<std::string> quantize_states(Graph& graph, const std::vector<StatePlan>& plans, const PtqOptions& options);

}  // namespace adze::quantize
