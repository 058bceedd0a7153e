#include "adze/evaluate/sequences.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "adze/base/text.h"

namespace adze {

namespace {

constexpr std::int64_t time_axis = 1;

std::int64_t count(const Shape& shape, std::size_t begin, std::size_t end) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(begin),
                         shape.begin() + static_cast<std::ptrdiff_t>(end), std::int64_t{1}, std::multiplies<>());
}

std::int64_t time_of(const Tensor& sequences) {
  return sequences.rank() > time_axis ? sequences.dim(time_axis) : 1;
}

/// Tensors that differ in time only, one behind the other.
Tensor joined(std::span<const Tensor> parts) {
  Shape shape = parts[0].shape();
  shape[time_axis] = 0;
  for (const Tensor& part : parts) shape[time_axis] += part.dim(time_axis);
  Tensor whole(parts[0].dtype(), shape);
  const std::int64_t rows = shape[0];
  auto to = whole.mutable_bytes().begin();
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const Tensor& part : parts) {
      const std::int64_t bytes = part.num_bytes() / rows;
      to = std::copy_n(part.bytes().begin() + row * bytes, bytes, to);
    }
  }
  return whole;
}

/// [batch, …, count] of the places begin, begin + 1 …, or of ones. Known dimensions but the last are the type's.
Tensor filled(const ValueType& type, std::int64_t batch, std::int64_t begin, std::int64_t count, bool ones) {
  Shape shape{batch, count};
  if (type.shape && type.shape->size() == 1) shape = {count};
  Tensor tensor(type.dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, ones ? 1 : begin + i % count);
  return tensor;
}

}  // namespace

Tensor part_of_axis(const Tensor& tensor, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  const auto at = static_cast<std::size_t>(axis);
  Shape shape = tensor.shape();
  shape[at] = end - begin;
  Tensor part(tensor.dtype(), shape);
  const std::int64_t outer = count(shape, 0, at);
  const std::int64_t inner = storage_bytes(tensor.dtype(), count(shape, at + 1, shape.size()));
  auto to = part.mutable_bytes().begin();
  for (std::int64_t i = 0; i < outer; ++i) {
    to = std::copy_n(tensor.bytes().begin() + (i * tensor.dim(axis) + begin) * inner, (end - begin) * inner, to);
  }
  return part;
}

Sequences::Sequences(const Graph& graph, std::int64_t step) : states_(find_states(graph)), step_(step) {
  is_state_output_.assign(graph.outputs().size(), false);
  for (const ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    Input input{value.type, Role::Data, 0, 0, -1};
    if (value.name == "attention_mask") input.role = Role::Ones;
    if (value.name == "position_ids" || value.name == "cache_position") input.role = Role::Places;
    inputs_.push_back(std::move(input));
  }
  for (const StatePair& state : states_) {
    Input& input = inputs_[state.input];
    input.role = Role::State;
    input.output = state.output;
    input.zero = is_integer(input.type.dtype) ? stored_zero(graph, graph.inputs()[state.input]) : 0;
    input.growing_axis = growing_axis(graph, graph.inputs()[state.input]).value_or(-1);
    is_state_output_[state.output] = true;
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].role == Role::Data) data_inputs_.push_back(graph.value(graph.inputs()[i]).name);
  }
}

void Sequences::require_one_data_input() const {
  if (has_one_data_input()) return;
  throw UsageError(cat("a network with state needs one input for data, this one has ", data_inputs_.size(), ": ",
                       adze::join(data_inputs_, ", ")),
                   "name inputs that are states with --state INPUT=OUTPUT");
}

std::int64_t Sequences::step_of(std::int64_t time) const {
  const auto data = std::find_if(inputs_.begin(), inputs_.end(), [](const Input& i) { return i.role == Role::Data; });
  const auto& shape = data->type.shape;
  const bool fixed = shape && shape->size() > time_axis && (*shape)[time_axis].is_known();
  const std::int64_t step = fixed ? (*shape)[time_axis].value : step_;
  return step > 0 ? std::min(step, time) : time;
}

std::int64_t Sequences::num_calls(const Tensor& sequences) const {
  const std::int64_t time = time_of(sequences), step = std::max<std::int64_t>(step_of(time), 1);
  return (time + step - 1) / step;
}

Tensor Sequences::first_state(const Input& input, std::int64_t batch) const {
  if (!input.type.shape) throw ModelError("a state's rank is not known");
  Shape shape;
  for (std::size_t i = 0; i < input.type.shape->size(); ++i) {
    const Dim& dim = (*input.type.shape)[i];
    const bool grows = static_cast<std::int64_t>(i) == input.growing_axis;
    shape.push_back(dim.is_known() ? dim.value : grows ? 0 : batch);
  }
  Tensor state(input.type.dtype, shape);
  for (std::int64_t i = 0; input.zero != 0 && i < state.size(); ++i) state.set_int(i, input.zero);
  return state;
}

std::vector<Tensor> Sequences::call(const Tensor& sequences, std::int64_t index, std::span<const Tensor> before) const {
  const std::int64_t time = time_of(sequences), step = step_of(time), batch = sequences.dim(0);
  const std::int64_t begin = index * step, end = std::min(time, begin + step);
  std::vector<Tensor> inputs;
  for (const Input& input : inputs_) {
    switch (input.role) {
      case Role::Data:
        inputs.push_back(step == time ? sequences : part_of_axis(sequences, time_axis, begin, end));
        break;
      case Role::State:
        inputs.push_back(before.empty() ? first_state(input, batch) : before[input.output]);
        break;
      case Role::Ones:
        inputs.push_back(filled(input.type, batch, 0, end, true));
        break;
      case Role::Places:
        inputs.push_back(filled(input.type, batch, begin, end - begin, false));
        break;
    }
  }
  return inputs;
}

std::vector<Tensor> Sequences::join(const Tensor& sequences, const std::vector<std::vector<Tensor>>& outputs) const {
  const std::int64_t time = time_of(sequences), step = step_of(time);
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < is_state_output_.size(); ++i) {
    if (is_state_output_[i]) continue;
    const Tensor& first = outputs[0][i];
    if (outputs.size() == 1 || first.rank() <= time_axis || first.dim(time_axis) != step) {
      result.push_back(outputs.back()[i]);
      continue;
    }
    std::vector<Tensor> parts;
    for (const auto& one : outputs) parts.push_back(one[i]);
    result.push_back(joined(parts));
  }
  return result;
}

RunFunction run_sequences(const Graph& graph, RunFunction run, std::int64_t step) {
  if (graph.inputs().size() < 2 || find_states(graph).empty()) return run;
  auto sequences = std::make_shared<const Sequences>(graph, step);
  if (!sequences->has_one_data_input()) return run;
  return [sequences, run = std::move(run)](std::span<const Tensor> inputs) {
    if (inputs.size() != 1) return run(inputs);
    const std::int64_t calls = sequences->num_calls(inputs[0]);
    std::vector<std::vector<Tensor>> outputs;
    std::vector<Tensor> before;
    for (std::int64_t i = 0; i < calls; ++i) {
      before = run(sequences->call(inputs[0], i, before));
      outputs.push_back(before);
    }
    return sequences->join(inputs[0], outputs);
  };
}

}  // namespace adze
