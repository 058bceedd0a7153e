#include "adze/plan/memory_map.h"

#include <algorithm>

namespace adze {

namespace {

bool runs_nothing(const Graph& graph, const Plan& plan, const Node& node) {
  const ValueId output = node.output();
  if (output == ValueId::None || plan.at(output).first < 0) return true;
  return is_view(graph, node) && plan.at(output).storage != output;
}

/// Bytes covered by at least one of the blocks, which are sorted by offset.
std::int64_t covered(const MemoryMap& map, const std::vector<std::size_t>& blocks) {
  std::int64_t bytes = 0, end = 0;
  for (const std::size_t index : blocks) {
    const MemoryBlock& block = map.blocks[index];
    const std::int64_t stop = block.offset + block.bytes;
    bytes += std::max<std::int64_t>(0, stop - std::max(end, block.offset));
    end = std::max(end, stop);
  }
  return bytes;
}

void add_values(const Graph& graph, const Plan& plan, const std::vector<std::int32_t>& shown, MemoryMap& map) {
  const auto at = [&](std::int32_t step) { return shown[static_cast<std::size_t>(step)]; };
  for (std::size_t i = 0; i < plan.values.size(); ++i) {
    const ValuePlan& value = plan.values[i];
    if (value.storage != static_cast<ValueId>(i) || !value.in_arena() || value.bytes <= 0) continue;
    map.blocks.push_back(
        {graph.value(static_cast<ValueId>(i)).name, false, value.offset, value.bytes, at(value.first), at(value.last)});
  }
}

void add_scratch(const Graph& graph, const Plan& plan, const std::map<NodeId, NodeMemory>& memory,
                 const std::vector<std::int32_t>& shown, MemoryMap& map) {
  for (std::size_t step = 0; step < plan.order.size(); ++step) {
    const auto place = plan.scratch.find(plan.order[step]);
    const auto size = memory.find(plan.order[step]);
    if (place == plan.scratch.end() || size == memory.end()) continue;
    map.blocks.push_back({graph.node(plan.order[step]).name + " (scratch)", true, place->second,
                          size->second.scratch_bytes, shown[step], shown[step]});
  }
}

}  // namespace

MemoryMap memory_map(const Graph& graph, const Plan& plan, const std::map<NodeId, NodeMemory>& memory) {
  MemoryMap map;
  map.arena_bytes = plan.arena_bytes;
  map.lower_bound_bytes = plan.peak_activation_bytes;
  map.order_peak_bytes = plan.order_peak_bytes;
  map.order_lower_bound_bytes = plan.order_lower_bound_bytes;
  map.slow_share = plan.traffic > 0 ? plan.slow_traffic / plan.traffic : 0.0;
  map.proved = plan.arena_proved || plan.arena_bytes == plan.peak_activation_bytes;
  std::vector<std::int32_t> shown(plan.order.size() + 1, 0);  // where the plan's steps are in the map
  for (std::size_t step = 0; step < plan.order.size(); ++step) {
    const Node& node = graph.node(plan.order[step]);
    shown[step] = static_cast<std::int32_t>(map.steps.size());
    if (!runs_nothing(graph, plan, node)) map.steps.push_back({node.name, std::string(op_name(node.kind)), {}, 0, 0});
  }
  shown.back() = static_cast<std::int32_t>(map.steps.size());
  add_values(graph, plan, shown, map);
  add_scratch(graph, plan, memory, shown, map);
  for (const MemoryBlock& block : map.blocks) map.extent = std::max(map.extent, block.offset + block.bytes);
  std::ranges::stable_sort(map.blocks, {}, &MemoryBlock::offset);
  for (std::size_t step = 0; step < map.steps.size(); ++step) {
    MemoryStep& row = map.steps[step];
    const auto time = static_cast<std::int32_t>(step);
    for (std::size_t i = 0; i < map.blocks.size(); ++i) {
      const MemoryBlock& block = map.blocks[i];
      if (block.first > time || block.last < time) continue;
      row.blocks.push_back(i);
      if (block.scratch) row.scratch_bytes += block.bytes;
    }
    row.bytes = covered(map, row.blocks);
    if (row.bytes > map.steps[map.peak_step].bytes) map.peak_step = step;
  }
  return map;
}

}  // namespace adze
