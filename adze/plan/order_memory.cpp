#include "adze/plan/order_memory.h"

#include <algorithm>

#include "adze/graph/edit.h"
#include "adze/numerics/tensor.h"
#include "adze/plan/arena.h"

namespace adze {

namespace {

void add_once(std::vector<std::size_t>& to, std::size_t what) {
  if (std::find(to.begin(), to.end(), what) == to.end()) to.push_back(what);
}

}  // namespace

OrderMemory::OrderMemory(const Graph& graph, const std::map<NodeId, NodeMemory>& memory) {
  const auto values = static_cast<std::size_t>(graph.num_values());
  std::vector<std::size_t> piece(values, none), maker(values, none);
  const auto begin = [&](ValueId id) {
    piece[static_cast<std::size_t>(id)] = pieces_.size();
    pieces_.push_back({planned_bytes(graph.value(id).type).value_or(0), {}, false});
    return pieces_.size() - 1;
  };
  for (const ValueId id : graph.inputs()) at_start_ += pieces_[begin(id)].bytes;
  for (const ValueId id : graph.captures()) at_start_ += pieces_[begin(id)].bytes;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    const std::size_t at = nodes_.size();
    Step step;
    step.id = id;
    for (const ValueId read : values_read(node)) {
      const auto value = static_cast<std::size_t>(read);
      if (maker[value] != none) add_once(step.after, maker[value]);
      if (piece[value] == none) continue;
      add_once(step.reads, piece[value]);
      add_once(pieces_[piece[value]].readers, at);
    }
    for (const ValueId input : node.inputs) {
      step.operands.push_back(input == ValueId::None ? none : piece[static_cast<std::size_t>(input)]);
    }
    const bool view = is_view(graph, node) && !step.operands.empty() && step.operands[0] != none;
    for (const ValueId output : node.outputs) {
      if (output == ValueId::None) continue;
      maker[static_cast<std::size_t>(output)] = at;
      if (view) {
        piece[static_cast<std::size_t>(output)] = step.operands[0];
      } else {
        step.makes.push_back(begin(output));
      }
    }
    const auto said = memory.find(id);
    if (said != memory.end()) {
      step.scratch = said->second.scratch_bytes;
      step.overlaps = said->second.overlaps;
    }
    step.elementwise = op_info(node.kind).op_class == OpClass::Elementwise;
    nodes_.push_back(std::move(step));
  }
  for (const ValueId id : graph.outputs()) {
    const std::size_t at = piece[static_cast<std::size_t>(id)];
    if (at != none) pieces_[at].stays = true;
  }
}

bool OrderMemory::is_ready(const Done& done, std::size_t i) const {
  const auto& after = nodes_[i].after;
  return std::all_of(after.begin(), after.end(), [&](std::size_t before) { return is_done(done, before); });
}

/// Does nobody else read the piece once this reader has run?
bool OrderMemory::ends(const Done& done, std::size_t piece, std::size_t reader) const {
  const Piece& of = pieces_[piece];
  return !of.stays && std::all_of(of.readers.begin(), of.readers.end(),
                                  [&](std::size_t other) { return other == reader || is_done(done, other); });
}

std::int64_t OrderMemory::saved(const Done& done, std::size_t i) const {
  const Step& step = nodes_[i];
  if (step.makes.empty()) return 0;
  const std::int64_t out = pieces_[step.makes[0]].bytes;
  std::int64_t most = 0;
  const auto consider = [&](std::size_t operand, std::int64_t distance, bool exact) {
    if (operand >= step.operands.size() || step.operands[operand] == none) return;
    if (!ends(done, step.operands[operand], i)) return;
    const std::int64_t in = pieces_[step.operands[operand]].bytes;
    most = std::max(most, in + out - overlapped_bytes(in, out, {0, 0, distance, exact}));
  };
  for (const NodeMemory::Overlap& overlap : step.overlaps) consider(overlap.input, overlap.distance, overlap.exact);
  if (step.elementwise && step.overlaps.empty()) {
    for (std::size_t operand = 0; operand < step.operands.size(); ++operand) {
      if (step.operands[operand] != none && pieces_[step.operands[operand]].bytes == out) consider(operand, 0, true);
    }
  }
  return most;
}

OrderMemory::Effect OrderMemory::run(const Done& done, std::int64_t in_use, std::size_t i) const {
  const Step& step = nodes_[i];
  Effect effect;
  std::int64_t made = 0, freed = 0;
  for (const std::size_t piece : step.makes) {
    made += pieces_[piece].bytes;
    if (pieces_[piece].readers.empty() && !pieces_[piece].stays) freed += pieces_[piece].bytes;
  }
  for (const std::size_t piece : step.reads) {
    // A view's piece is read on by the readers of the view.
    if (ends(done, piece, i)) freed += pieces_[piece].bytes;
  }
  effect.peak = in_use + made + step.scratch - saved(done, i);
  effect.after = in_use + made - freed;
  return effect;
}

std::int64_t OrderMemory::least_peak() const {
  const Done all((nodes_.size() + 63) / 64, ~std::uint64_t{0});
  std::int64_t most = at_start_;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    std::int64_t bytes = nodes_[i].scratch - saved(all, i);
    for (const std::size_t piece : nodes_[i].makes) bytes += pieces_[piece].bytes;
    for (const std::size_t piece : nodes_[i].reads) bytes += pieces_[piece].bytes;
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace adze
