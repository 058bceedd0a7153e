#include "adze/plan/plan.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/graph/edit.h"
#include "adze/plan/arena.h"
#include "adze/plan/arena_memories.h"
#include "adze/plan/lower_integers.h"
#include "adze/plan/stream_groups.h"

namespace adze {

std::optional<std::int64_t> planned_bytes(const ValueType& type) {
  if (!type.is_tensor() || type.dtype == DType::Undefined || type.dtype == DType::String || !type.shape) {
    return std::nullopt;
  }
  const std::optional<Shape> shape = concrete(*type.shape);
  if (!shape) return std::nullopt;
  return storage_bytes(type.dtype, num_elements(*shape));
}

namespace {

/// A transpose that moves no dimension other than ones leaves the elements where they are.
bool moves_only_ones(const Graph& graph, const Node& node) {
  const ValueType& type = graph.value(node.inputs[0]).type;
  const std::optional<Shape> shape = type.shape ? concrete(*type.shape) : std::nullopt;
  if (!shape) return false;
  std::vector<std::int64_t> perm = node.get_ints("perm");
  if (perm.empty()) {
    for (std::size_t i = shape->size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  }
  std::int64_t previous = -1;
  for (const std::int64_t axis : perm) {
    if ((*shape)[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < previous) return false;
    previous = axis;
  }
  return true;
}

class Planner {
 public:
  Planner(const Graph& graph, const PlanOptions& options) : graph_(graph), options_(options) {
    plan_.order = options.order.empty() ? topological_order(graph) : options.order;
    plan_.values.resize(static_cast<std::size_t>(graph.num_values()));
  }

  Plan make() {
    make_groups();
    find_lifetimes();
    if (options_.views || options_.in_place) share_memory();
    place();
    return std::move(plan_);
  }

 private:
  ValuePlan& at(ValueId id) { return plan_.values[static_cast<std::size_t>(id)]; }

  void begin(ValueId id, std::int32_t step) {
    ValuePlan& value = at(id);
    value.first = value.last = step;
    value.storage = id;
    value.bytes = planned_bytes(graph_.value(id).type).value_or(-1);
    if (value.bytes < 0) ++plan_.unplanned_values;
  }

  /// Nothing but constants goes in: done before the graph runs.
  bool is_folded(const Node& node) const {
    if (!options_.fold_constants || op_info(node.kind).op_class == OpClass::Random) return false;
    const std::vector<ValueId> reads = values_read(node);
    return std::all_of(reads.begin(), reads.end(), [&](ValueId id) {
      return graph_.constant(id) != nullptr || folded_[static_cast<std::size_t>(id)];
    });
  }

  void make_groups() {
    times_.resize(plan_.order.size());
    std::iota(times_.begin(), times_.end(), 0);
    if (options_.groups.empty()) return;
    const RowGroups makers(graph_, plan_.order, options_.memory);
    for (const RowRange& range : options_.groups) {
      std::optional<RowGroup> group = makers.make(range);
      if (!group) throw InternalError(cat("steps ", range.first, " to ", range.last, " cannot run by rows"));
      for (std::int32_t step = range.first; step <= range.last && !range.anew; ++step) {
        times_[static_cast<std::size_t>(step)] = range.first;
      }
      plan_.groups.push_back(std::move(*group));
    }
  }

  const RowGroup* group_at(std::size_t step) const {
    for (const RowGroup& group : plan_.groups) {
      if (group.contains(static_cast<std::int32_t>(step))) return &group;
    }
    return nullptr;
  }

  void find_lifetimes() {
    folded_.assign(plan_.values.size(), false);
    for (const ValueId id : graph_.inputs()) begin(id, 0);
    for (const ValueId id : graph_.captures()) begin(id, 0);
    const auto steps = static_cast<std::int32_t>(plan_.order.size());
    for (std::int32_t step = 0; step < steps; ++step) {
      const Node& node = graph_.node(plan_.order[static_cast<std::size_t>(step)]);
      if (is_folded(node)) {
        for (const ValueId id : node.outputs) {
          if (id != ValueId::None) folded_[static_cast<std::size_t>(id)] = true;
        }
        continue;
      }
      const std::int32_t time = times_[static_cast<std::size_t>(step)];
      for (const ValueId id : values_read(node)) at(id).last = std::max(at(id).last, time);
      for (const ValueId id : node.outputs) {
        if (id != ValueId::None) begin(id, time);
      }
    }
    for (const RowGroup& group : plan_.groups) {
      for (const RowTensor& tensor : group.tensors) {
        ValuePlan& value = at(tensor.value);
        if (!tensor.is_whole()) value.bytes = tensor.held_bytes();
        if (!group.anew) continue;
        if (tensor.maker < 0) value.last = std::max(value.last, group.last);  // until the last band
        if (tensor.goes_out) value.first = group.first;                       // from the first one
      }
    }
    for (const ValueId id : graph_.outputs()) at(id).last = steps;
  }

  /// Lets outputs share an input's memory. A shared piece of memory lives under the id that began it.
  void share_memory() {
    for (std::size_t step = 0; step < plan_.order.size(); ++step) {
      const Node& node = graph_.node(plan_.order[step]);
      if (node.outputs.empty() || node.outputs[0] == ValueId::None || at(node.outputs[0]).first < 0) continue;
      if (group_at(step) != nullptr) continue;
      const ValueId output = node.outputs[0];
      if (options_.views && is_view(graph_, node)) {
        join(node.inputs[0], output);
      } else if (options_.in_place && op_info(node.kind).op_class == OpClass::Elementwise) {
        for (const ValueId input : node.inputs) {
          if (writes_over(input, output, static_cast<std::int32_t>(step)) && join(input, output)) break;
        }
      }
    }
  }

  /// The input's memory ends here, and holds elements of the output's size and number.
  bool writes_over(ValueId input, ValueId output, std::int32_t step) {
    if (input == ValueId::None || graph_.constant(input) != nullptr || at(input).storage == ValueId::None) return false;
    const ValueType& from = graph_.value(input).type;
    const ValueType& to = graph_.value(output).type;
    return from.shape == to.shape && dtype_bits(from.dtype) == dtype_bits(to.dtype) &&
           at(at(input).storage).last == step;
  }

  bool join(ValueId input, ValueId output) {
    if (input == ValueId::None || graph_.constant(input) != nullptr) return false;
    const ValueId root = at(input).storage;
    if (root == ValueId::None || at(root).bytes < 0 || at(output).bytes != at(root).bytes) return false;
    at(output).storage = root;
    at(root).last = std::max(at(root).last, at(output).last);
    return true;
  }

  void place() {
    std::vector<ArenaBlock> blocks;
    std::vector<ValueId> owners;
    block_of_.assign(plan_.values.size(), none);
    for (std::size_t i = 0; i < plan_.values.size(); ++i) {
      const ValuePlan& value = plan_.values[i];
      if (value.storage != static_cast<ValueId>(i) || value.bytes < 0) continue;
      block_of_[i] = blocks.size();
      blocks.push_back({value.bytes, value.first, value.last});
      owners.push_back(static_cast<ValueId>(i));
    }
    const std::vector<ArenaOverlap> overlaps = find_overlaps(blocks);
    const ArenaLayout layout = options_.memory_bytes.empty()
                                   ? place_blocks(blocks, options_.alignment, options_.search_nodes, overlaps)
                                   : place_in(blocks, overlaps);
    plan_.arena_bytes = layout.bytes;
    plan_.arena_proved = layout.proved;
    plan_.peak_activation_bytes = layout.lower_bound;
    for (std::size_t i = 0; i < owners.size(); ++i) at(owners[i]).offset = layout.offsets[i];
    for (ValuePlan& value : plan_.values) {
      if (value.storage != ValueId::None) value.offset = at(value.storage).offset;
    }
    for (const auto& [node, block] : scratch_blocks_) plan_.scratch[node] = layout.offsets[block];
  }

  ArenaLayout place_in(const std::vector<ArenaBlock>& blocks, const std::vector<ArenaOverlap>& overlaps) {
    const std::vector<double> traffic = block_traffic(blocks);
    const MemoriesLayout found =
        place_in_memories(blocks, traffic, options_.memory_bytes, options_.alignment, options_.search_nodes, overlaps);
    plan_.traffic = std::accumulate(traffic.begin(), traffic.end(), 0.0);
    plan_.memory_used = found.used;
    plan_.memory_excess = found.excess;
    plan_.slow_traffic = found.slow_traffic;
    return found.layout;
  }

  /// Bytes moved: each value is written once and read once by every reader; scratch memory is what a kernel's inner
  /// loop reads, with every fourth instruction a word.
  std::vector<double> block_traffic(const std::vector<ArenaBlock>& blocks) const {
    std::vector<double> traffic(blocks.size(), 0.0);
    const auto add = [&](ValueId id) {
      if (id == ValueId::None) return;
      const ValueId root = plan_.at(id).storage;
      if (root == ValueId::None || block_of_[static_cast<std::size_t>(root)] == none) return;
      const auto bytes = planned_bytes(graph_.value(id).type);  // all of it, however few rows are held
      traffic[block_of_[static_cast<std::size_t>(root)]] += static_cast<double>(bytes.value_or(0));
    };
    for (const ValueId id : graph_.inputs()) add(id);
    for (const NodeId node : plan_.order) {
      for (const ValueId id : values_read(graph_.node(node))) add(id);
      for (const ValueId id : graph_.node(node).outputs) add(id);
    }
    for (const auto& [node, block] : scratch_blocks_) {
      const auto memory = options_.memory.find(node);
      const bool known = memory != options_.memory.end() && memory->second.work;
      traffic[block] += known ? memory->second.work(0) : 4.0 * static_cast<double>(blocks[block].bytes);
    }
    return traffic;
  }

  /// What kernels say of their memory, as blocks of scratch memory (added) and pairs.
  std::vector<ArenaOverlap> find_overlaps(std::vector<ArenaBlock>& blocks) {
    std::vector<ArenaOverlap> overlaps;
    for (std::size_t step = 0; step < plan_.order.size(); ++step) {
      const auto found = options_.memory.find(plan_.order[step]);
      if (const RowGroup* group = group_at(step)) {
        if (group->first == static_cast<std::int32_t>(step)) add_group(*group, blocks, overlaps);
        continue;
      }
      if (found == options_.memory.end()) continue;
      const NodeMemory& memory = found->second;
      const Node& node = graph_.node(found->first);
      const auto time = static_cast<std::int32_t>(step);
      if (memory.scratch_bytes > 0) {
        scratch_blocks_[found->first] = blocks.size();
        blocks.push_back({memory.scratch_bytes, time, time});
        add_overlaps(node, memory.scratch_overlaps, blocks.size() - 1, time, overlaps);
      }
      const ValuePlan& output = at(node.outputs.at(0));
      if (output.first != time || output.storage != node.outputs[0] || output.bytes < 0) continue;
      add_overlaps(node, memory.overlaps, block_of_[static_cast<std::size_t>(output.storage)], time, overlaps);
    }
    return overlaps;
  }

  void add_group(const RowGroup& group, std::vector<ArenaBlock>& blocks, std::vector<ArenaOverlap>& overlaps) {
    for (const RowStage& stage : group.stages) scratch_blocks_[stage.node] = blocks.size();
    const std::int32_t end = group.anew ? group.last : group.first;
    blocks.push_back({group.scratch_bytes, group.first, end});
    for (const RowGroup::Overlap& overlap : group.overlaps) {
      const ValueId input = at(group.tensors[static_cast<std::size_t>(overlap.input)].value).storage;
      const ValueId output = group.tensors[static_cast<std::size_t>(overlap.output)].value;
      if (input == ValueId::None || at(input).last != end || at(output).first != group.first) continue;
      overlaps.push_back({block_of_[static_cast<std::size_t>(input)], block_of_[static_cast<std::size_t>(output)],
                          overlap.distance, false});
    }
  }

  /// Of operands whose memory ends at this step.
  void add_overlaps(const Node& node, const std::vector<NodeMemory::Overlap>& said, std::size_t output,
                    std::int32_t time, std::vector<ArenaOverlap>& overlaps) {
    for (const NodeMemory::Overlap& overlap : said) {
      const ValueId input = node.inputs.at(overlap.input);
      const bool twice = std::count(node.inputs.begin(), node.inputs.end(), input) > 1;
      if (twice || graph_.constant(input) != nullptr || at(input).storage == ValueId::None) continue;
      const ValueId root = at(input).storage;
      if (at(root).last != time || block_of_[static_cast<std::size_t>(root)] == none) continue;
      overlaps.push_back({block_of_[static_cast<std::size_t>(root)], output, overlap.distance, overlap.exact});
    }
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  const Graph& graph_;
  const PlanOptions& options_;
  std::vector<std::int32_t> times_;    ///< by step: all of a group happen together, unless it computes bands anew
  std::vector<bool> folded_;           ///< by value
  std::vector<std::size_t> block_of_;  ///< by value
  std::map<NodeId, std::size_t> scratch_blocks_;  ///< by node
  Plan plan_;
};

}  // namespace

bool is_view(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case OpKind::Reshape:
    case OpKind::Flatten:
    case OpKind::Squeeze:
    case OpKind::Unsqueeze:
    case OpKind::Identity:
      return true;
    case OpKind::Transpose:
      return moves_only_ones(graph, node);
    default:
      return false;
  }
}

Plan plan_inference(const Graph& graph) {
  Graph lowered = lower_integers(with_unknown_dims(graph, 1));
  remove_dead_nodes(lowered);
  PlanOptions options;
  options.fold_constants = true;
  return make_plan(lowered, options);
}

Plan make_plan(const Graph& graph, const PlanOptions& options) {
  return Planner(graph, options).make();
}

}  // namespace adze
