#include "adze/plan/stream_peaks.h"

#include <algorithm>
#include <set>

#include "adze/numerics/tensor.h"
#include "adze/plan/arena.h"

namespace adze {

namespace {

std::size_t index_of(ValueId id) {
  return static_cast<std::size_t>(id);
}

/// Instructions that the scheduler takes for one call of a stage, and for a byte moved.
constexpr double call_work = 150.0, move_work = 0.4;

/// Of a group that computes each band anew: rows are there from their maker to the last stage that reads them.
std::int64_t most_inside(const RowGroup& group) {
  std::int64_t most = 0;
  for (std::size_t at = 0; at < group.stages.size(); ++at) {
    std::int64_t bytes = 0;
    for (std::size_t t = 0; t < group.tensors.size(); ++t) {
      const RowTensor& tensor = group.tensors[t];
      if (tensor.is_whole() || static_cast<std::size_t>(tensor.maker) > at) continue;
      const bool read = std::any_of(
          group.stages.begin() + static_cast<std::ptrdiff_t>(at), group.stages.end(), [&](const RowStage& stage) {
            return std::find(stage.inputs.begin(), stage.inputs.end(), static_cast<std::int32_t>(t)) !=
                   stage.inputs.end();
          });
      if (read || static_cast<std::size_t>(tensor.maker) == at) bytes += tensor.held_bytes();
    }
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace

StreamPeaks::StreamPeaks(const Graph& graph, const std::vector<NodeId>& order,
                         const std::map<NodeId, NodeMemory>& memory)
    : groups_(graph, order, memory) {
  find_lifetimes(graph);
  for (std::int32_t step = 0; step < steps(); ++step) whole_.push_back(whole_peak(step));
}

void StreamPeaks::find_lifetimes(const Graph& graph) {
  const auto count = static_cast<std::size_t>(graph.num_values());
  root_.resize(count);
  lives_.resize(count);
  for (std::size_t i = 0; i < count; ++i) root_[i] = i;
  const auto touch = [&](ValueId id, std::int32_t step) {
    Life& life = lives_[root_[index_of(id)]];
    life.last = std::max(life.last, step);
  };
  for (const ValueId id : graph.inputs()) {
    lives_[index_of(id)] = {planned_bytes(graph.value(id).type).value_or(0), 0, 0};
  }
  for (std::int32_t step = 0; step < steps(); ++step) {
    const Node& node = graph.node(groups_.order()[static_cast<std::size_t>(step)]);
    for (const ValueId id : values_read(node)) {
      if (graph.constant(id) == nullptr) touch(id, step);
    }
    if (is_view(graph, node) && graph.constant(node.inputs[0]) == nullptr) {
      root_[index_of(node.outputs[0])] = root_[index_of(node.inputs[0])];
      continue;
    }
    for (const ValueId id : node.outputs) {
      if (id != ValueId::None) lives_[index_of(id)] = {planned_bytes(graph.value(id).type).value_or(0), step, step};
    }
  }
  for (const ValueId id : graph.outputs()) touch(id, steps());
}

std::int64_t StreamPeaks::alive(std::int32_t first, std::int32_t last) const {
  std::int64_t bytes = 0;
  for (const Life& life : lives_) {
    if (life.first <= last && first <= life.last) bytes += life.bytes;
  }
  return bytes;
}

std::int64_t StreamPeaks::whole_peak(std::int32_t step) const {
  const Graph& graph = groups_.graph();
  const Node& node = graph.node(groups_.order()[static_cast<std::size_t>(step)]);
  std::int64_t peak = alive(step, step);
  const NodeMemory* memory = groups_.memory_of(step);
  if (memory == nullptr || node.outputs.empty() || node.outputs[0] == ValueId::None) return peak;
  peak += memory->scratch_bytes;
  const std::int64_t out = lives_[index_of(node.outputs[0])].bytes;
  std::int64_t saved = 0;
  for (const NodeMemory::Overlap& overlap : memory->overlaps) {
    const ValueId input = node.inputs[overlap.input];
    if (graph.constant(input) != nullptr) continue;
    const Life& life = lives_[root_[index_of(input)]];
    if (life.last != step) continue;
    saved =
        std::max(saved, life.bytes + out - overlapped_bytes(life.bytes, out, {0, 0, overlap.distance, overlap.exact}));
  }
  if (op_info(node.kind).op_class == OpClass::Elementwise && memory->overlaps.empty()) {
    const Life& life = lives_[root_[index_of(node.inputs[0])]];
    if (life.last == step && life.bytes == out) saved = out;
  }
  return peak - saved;
}

double StreamPeaks::work(std::int32_t step) const {
  const NodeMemory* memory = groups_.memory_of(step);
  return memory == nullptr || !memory->work ? 0.0 : memory->work(0);
}

bool StreamPeaks::can_run_by_rows(std::int32_t step) const {
  const NodeMemory* memory = groups_.memory_of(step);
  return memory != nullptr && !memory->rows.operands.empty();
}

std::int64_t StreamPeaks::least(std::int32_t first, std::int32_t last) const {
  // What is made and read inside only may shrink to a row; of what overlaps the larger remains.
  std::int64_t through = 0, comes_in = 0, goes_out = 0;
  for (const Life& life : lives_) {
    if (life.last < first || life.first > last) continue;
    if (life.first >= first) {
      if (life.last > last) goes_out += life.bytes;
    } else if (life.last <= last) {
      comes_in += life.bytes;
    } else {
      through += life.bytes;
    }
  }
  return through + std::max(comes_in, goes_out);
}

const std::optional<StreamPeaks::Need>& StreamPeaks::group(const RowRange& range) {
  const std::array<std::int64_t, 4> key{range.first, range.last, range.band, range.anew ? 1 : 0};
  const auto found = known_.find(key);
  return found != known_.end() ? found->second : known_[key] = evaluate(range);
}

std::optional<StreamPeaks::Need> StreamPeaks::evaluate(const RowRange& range) const {
  const std::optional<RowGroup> group = groups_.make(range);
  if (!group) return std::nullopt;
  Need need;
  need.peak_bytes = alive(range.first, range.last) + group->scratch_bytes;
  for (const RowTensor& tensor : group->tensors) {
    if (!tensor.is_whole()) need.peak_bytes += (group->anew ? 0 : tensor.held_bytes()) - tensor.rows * tensor.row_bytes;
  }
  if (group->anew) need.peak_bytes += most_inside(*group);
  std::map<std::int32_t, std::int64_t> saved;  // by output: the most that one input gives
  for (const RowGroup::Overlap& overlap : group->overlaps) {
    const Life& in = lives_[root_[index_of(group->tensors[static_cast<std::size_t>(overlap.input)].value)]];
    const Life& out = lives_[root_[index_of(group->tensors[static_cast<std::size_t>(overlap.output)].value)]];
    if (in.last > range.last) continue;
    std::int64_t& most = saved[overlap.output];
    most =
        std::max(most, in.bytes + out.bytes - overlapped_bytes(in.bytes, out.bytes, {0, 0, overlap.distance, false}));
  }
  for (const auto& [output, bytes] : saved) need.peak_bytes -= bytes;
  need.extra_work = static_cast<double>(group->calls) * call_work + static_cast<double>(group->moved_bytes) * move_work;
  for (std::int32_t step = range.first; step <= range.last; ++step) {
    const NodeMemory* memory = groups_.memory_of(step);
    if (!memory->work) continue;
    const RowStage& stage = group->stages[static_cast<std::size_t>(step - range.first)];
    const RowTensor& made = group->tensors[static_cast<std::size_t>(stage.output)];
    const double repeats = static_cast<double>(stage.rows_made) / static_cast<double>(made.rows);
    const std::int64_t together = group->anew && !made.is_whole() ? made.held : range.band;
    need.extra_work += memory->work(together) * repeats - memory->work(0);
  }
  return need;
}

}  // namespace adze
