#include "adze/plan/stream_groups.h"

#include <algorithm>

#include "adze/numerics/tensor.h"

namespace adze {

RowGroups::RowGroups(const Graph& graph, std::vector<NodeId> order, const std::map<NodeId, NodeMemory>& memory)
    : graph_(graph),
      order_(std::move(order)),
      memory_(memory),
      readers_(static_cast<std::size_t>(graph.num_values())),
      is_output_(static_cast<std::size_t>(graph.num_values()), false) {
  for (std::size_t step = 0; step < order_.size(); ++step) {
    for (const ValueId id : values_read(graph.node(order_[step]))) {
      readers_[static_cast<std::size_t>(id)].push_back(static_cast<std::int32_t>(step));
    }
  }
  for (const ValueId id : graph.outputs()) is_output_[static_cast<std::size_t>(id)] = true;
}

const NodeMemory* RowGroups::memory_of(std::int32_t step) const {
  const auto found = memory_.find(order_[static_cast<std::size_t>(step)]);
  return found == memory_.end() ? nullptr : &found->second;
}

/// One picture whose rows lie one after the other.
std::optional<RowTensor> RowGroups::tensor_of(ValueId id) const {
  const ValueType& type = graph_.value(id).type;
  const std::optional<Shape> shape = type.shape ? concrete(*type.shape) : std::nullopt;
  if (!shape || shape->size() != 4 || (*shape)[0] != 1 || (*shape)[1] < 1 || dtype_bits(type.dtype) % 8 != 0) {
    return std::nullopt;
  }
  RowTensor tensor;
  tensor.value = id;
  tensor.rows = (*shape)[1];
  tensor.row_bytes = storage_bytes(type.dtype, num_elements(*shape)) / tensor.rows;
  return tensor;
}

bool RowGroups::goes_out(ValueId id, const RowRange& range) const {
  const auto& readers = readers_[static_cast<std::size_t>(id)];
  return is_output_[static_cast<std::size_t>(id)] || readers.empty() || readers.back() > range.last;
}

std::optional<RowGroup> RowGroups::make(const RowRange& range) const {
  RowGroup group;
  group.first = range.first, group.last = range.last, group.band = range.band, group.anew = range.anew;
  std::map<ValueId, std::int32_t> known;
  const auto add = [&](ValueId id, std::int32_t maker) -> std::int32_t {
    const auto found = known.find(id);
    if (found != known.end()) return found->second;
    std::optional<RowTensor> tensor = tensor_of(id);
    if (!tensor) return -1;
    tensor->maker = maker;
    tensor->goes_out = maker >= 0 && goes_out(id, range);
    group.tensors.push_back(*tensor);
    return known[id] = static_cast<std::int32_t>(group.tensors.size()) - 1;
  };
  for (std::int32_t step = range.first; step <= range.last; ++step) {
    const Node& node = graph_.node(order_[static_cast<std::size_t>(step)]);
    const NodeMemory* memory = memory_of(step);
    if (memory == nullptr || memory->rows.operands.empty() || node.outputs.size() != 1) return std::nullopt;
    RowStage stage;
    stage.node = order_[static_cast<std::size_t>(step)];
    stage.form = memory->rows;
    for (const std::size_t operand : stage.form.operands) {
      stage.inputs.push_back(add(node.inputs[operand], -1));
      if (stage.inputs.back() < 0) return std::nullopt;
    }
    stage.output = add(node.outputs[0], step - range.first);
    const auto& readers = readers_[static_cast<std::size_t>(node.outputs[0])];
    const bool is_read = !readers.empty() && readers.front() <= range.last;
    if (stage.output < 0 || (step < range.last && !is_read)) return std::nullopt;
    const bool goes_out_early = step < range.last && group.tensors[static_cast<std::size_t>(stage.output)].goes_out;
    if (range.anew && goes_out_early) return std::nullopt;
    group.scratch_bytes = std::max(group.scratch_bytes, memory->scratch_bytes);
    group.stages.push_back(std::move(stage));
  }
  group.scratch_bytes += row_state_bytes(group);
  size_rows(group);
  return group;
}

}  // namespace adze
