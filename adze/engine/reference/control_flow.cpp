#include <algorithm>
#include <limits>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/control.h"
#include "adze/engine/reference/pieces.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::control {

namespace {

const Graph& body_of(const Context& context) {
  const Attribute* attribute = context.node().find("body");
  const Subgraph* subgraph = attribute != nullptr ? std::get_if<Subgraph>(attribute) : nullptr;
  if (subgraph == nullptr) throw ModelError("attribute body is missing");
  return *subgraph->graph;
}

/// What a scan output is when no iteration ran: no elements, of the body's type as far as it is known.
Tensor empty_scan(const Graph& body, std::size_t output) {
  const ValueType& type = body.value(body.outputs()[output]).type;
  Shape shape = {0};
  if (type.shape) {
    for (const Dim& dim : *type.shape) shape.push_back(dim.is_known() ? dim.value : 0);
  }
  return Tensor(type.dtype == DType::Undefined ? DType::F32 : type.dtype, shape);
}

void set_scan_outputs(Context& context, const Graph& body, std::size_t first_output, std::size_t first_body_output,
                      const std::vector<std::vector<Tensor>>& rows, std::span<const std::int64_t> axes) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t axis = i < axes.size() ? axes[i] : 0;
    context.set(first_output + i, rows[i].empty() ? empty_scan(body, first_body_output + i) : stacked(rows[i], axis));
  }
}

}  // namespace

void run_if(Context& context) {
  const bool condition = scalar_or(context, 0, 0) != 0;
  std::vector<Datum> outputs = context.run_subgraph(condition ? "then_branch" : "else_branch", {});
  if (outputs.size() != context.num_outputs()) throw ModelError("the branch has another number of outputs");
  for (std::size_t i = 0; i < outputs.size(); ++i) context.set(i, std::move(outputs[i]));
}

/// Runs body(iteration, condition, carried…) → (condition, carried…, scanned…) while the condition and the count allow.
void run_loop(Context& context) {
  const Graph& body = body_of(context);
  const std::size_t carried_count = context.num_inputs() < 2 ? 0 : context.num_inputs() - 2;
  if (body.inputs().size() != carried_count + 2 || body.outputs().size() < carried_count + 1) {
    throw ModelError("the body's inputs and outputs do not fit the loop's");
  }
  const std::int64_t most = int_or(context, 0, std::numeric_limits<std::int64_t>::max());
  bool condition = int_or(context, 1, 1) != 0;
  std::vector<Datum> carried;
  for (std::size_t i = 0; i < carried_count; ++i) carried.push_back(context.datum(i + 2));
  std::vector<std::vector<Tensor>> rows(body.outputs().size() - 1 - carried_count);
  for (std::int64_t iteration = 0; iteration < most && condition; ++iteration) {
    std::vector<Datum> inputs = {Tensor::scalar(iteration), Tensor::scalar(condition)};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    std::vector<Datum> outputs = context.run_subgraph("body", std::move(inputs));
    const Tensor& next = outputs[0].tensor();
    if (next.size() != 1) throw ModelError("the body's condition must be one element");
    condition = next.get_int(0) != 0;
    for (std::size_t i = 0; i < carried_count; ++i) carried[i] = std::move(outputs[i + 1]);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(outputs[1 + carried_count + i].tensor());
  }
  for (std::size_t i = 0; i < carried_count; ++i) context.set(i, std::move(carried[i]));
  set_scan_outputs(context, body, carried_count, 1 + carried_count, rows, {});
}

namespace {

/// The lists of Scan: one entry for each scan input or output, 0 when absent.
std::vector<std::int64_t> scan_list(const Node& node, std::string_view attribute, std::size_t count) {
  std::vector<std::int64_t> values = node.get_ints(attribute);
  if (values.empty()) values.assign(count, 0);
  if (values.size() != count) throw ModelError(cat("attribute ", attribute, " must have ", count, " entries"));
  return values;
}

}  // namespace

/// Runs body(state…, slices…) → (state…, scanned…) once for each slice of the scan inputs.
void run_scan(Context& context) {
  const Node& node = context.node();
  const Graph& body = body_of(context);
  const std::int64_t wanted = node.get_int("num_scan_inputs");
  if (wanted < 1 || wanted > static_cast<std::int64_t>(context.num_inputs())) {
    throw ModelError(cat("num_scan_inputs is ", wanted, " with ", context.num_inputs(), " inputs"));
  }
  const auto scans = static_cast<std::size_t>(wanted), states = context.num_inputs() - scans;
  if (body.inputs().size() != context.num_inputs() || body.outputs().size() < states) {
    throw ModelError("the body's inputs and outputs do not fit the scan's");
  }
  const std::size_t results = body.outputs().size() - states;
  const auto in_axes = scan_list(node, "scan_input_axes", scans);
  const auto in_backward = scan_list(node, "scan_input_directions", scans);
  const auto out_axes = scan_list(node, "scan_output_axes", results);
  const auto out_backward = scan_list(node, "scan_output_directions", results);
  std::vector<std::int64_t> axes;
  std::int64_t length = -1;
  for (std::size_t i = 0; i < scans; ++i) {
    const Tensor& x = context.input(states + i);
    axes.push_back(normalize_axis(in_axes[i], x.rank()));
    if (length >= 0 && x.dim(axes[i]) != length) throw ModelError("scan inputs differ in length");
    length = x.dim(axes[i]);
  }
  std::vector<Datum> state;
  for (std::size_t i = 0; i < states; ++i) state.push_back(context.datum(i));
  std::vector<std::vector<Tensor>> rows(results);
  for (std::int64_t step = 0; step < length; ++step) {
    std::vector<Datum> inputs = state;
    for (std::size_t i = 0; i < scans; ++i) {
      const std::int64_t at = in_backward[i] != 0 ? length - 1 - step : step;
      const Tensor slice = slice_of(context.input(states + i), axes[i], at, 1);
      inputs.emplace_back(slice.reshaped(without_axis(slice.shape(), axes[i])));
    }
    std::vector<Datum> outputs = context.run_subgraph("body", std::move(inputs));
    for (std::size_t i = 0; i < states; ++i) state[i] = std::move(outputs[i]);
    for (std::size_t i = 0; i < results; ++i) rows[i].push_back(outputs[states + i].tensor());
  }
  for (std::size_t i = 0; i < results; ++i) {
    if (out_backward[i] != 0) std::reverse(rows[i].begin(), rows[i].end());
  }
  for (std::size_t i = 0; i < states; ++i) context.set(i, std::move(state[i]));
  set_scan_outputs(context, body, states, states, rows, out_axes);
}

/// Runs body once for each element of the first input; other sequences give their elements, tensors themselves.
void sequence_map(Context& context) {
  const std::size_t length = context.datum(0).sequence().size();
  std::vector<Sequence> results(context.num_outputs());
  for (std::size_t at = 0; at < length; ++at) {
    std::vector<Datum> inputs;
    for (std::size_t i = 0; i < context.num_inputs(); ++i) {
      const Datum& datum = context.datum(i);
      if (datum.is_sequence() && datum.sequence().size() != length) throw ModelError("sequences differ in length");
      inputs.push_back(datum.is_sequence() ? datum.sequence()[at] : datum);
    }
    std::vector<Datum> outputs = context.run_subgraph("body", std::move(inputs));
    if (outputs.size() != results.size()) throw ModelError("the body has another number of outputs");
    for (std::size_t i = 0; i < results.size(); ++i) results[i].push_back(std::move(outputs[i]));
  }
  for (std::size_t i = 0; i < results.size(); ++i) context.set(i, Datum(std::move(results[i])));
}

}  // namespace adze::reference::control
