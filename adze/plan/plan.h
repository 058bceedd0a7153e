#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/plan/stream.h"

namespace adze {

/// Where a value lives while the graph runs, and how long.
struct ValuePlan {
  std::int64_t bytes = -1;          ///< -1: not known before running (unknown shape, a sequence, strings)
  std::int64_t offset = -1;         ///< in the arena; -1: not there
  std::int32_t first = -1;          ///< step that makes it (0 for graph inputs); -1: never exists
  std::int32_t last = -1;           ///< last step that reads it; order.size() for graph outputs
  ValueId storage = ValueId::None;  ///< whose memory it is: itself, or the value that it is a view of or written over

  bool in_arena() const { return offset >= 0; }
};

/// What the kernel that runs a node says of its memory.
struct NodeMemory {
  /// The first output may start `distance` bytes before this operand (negative: after it), or anywhere before that;
  /// when exact, there and nowhere else. Only where nobody else reads the operand any more.
  struct Overlap {
    std::size_t input = 0;
    std::int64_t distance = 0;
    bool exact = false;
  };
  std::vector<Overlap> overlaps;
  std::int64_t scratch_bytes = 0;         ///< that only this node uses, while it runs
  std::vector<Overlap> scratch_overlaps;  ///< where the scratch memory may start, likewise
  RowForm rows;                           ///< how it runs a few rows at a time, if it can
  /// Instructions, estimated, when it runs so many rows a time; 0: all at once. Empty: not known.
  std::function<double(std::int64_t band)> work;
};

/// Bytes of a value's tensor, when dtype and shape are known.
std::optional<std::int64_t> planned_bytes(const ValueType& type);

/// How a graph is run in one stretch of memory. Constants are not part of it.
struct Plan {
  std::vector<NodeId> order;      ///< each value is computed before it is read
  std::vector<ValuePlan> values;  ///< by ValueId
  std::int64_t arena_bytes = 0;   ///< what the offsets need
  std::int64_t peak_activation_bytes =
      0;                         ///< the most activation bytes alive at one step: the lower bound of the arena
  bool arena_proved = false;     ///< no placement of these values with this alignment needs a smaller arena
  std::vector<RowGroup> groups;  ///< steps that run interleaved; their scratch memory begins with the scheduler's
  std::map<NodeId, std::int64_t> scratch;  ///< offsets, of nodes that asked for some
  /// The most that single steps of this order take when each runs at once, and what any order takes at least;
  /// 0 where no order was looked for.
  std::int64_t order_peak_bytes = 0, order_lower_bound_bytes = 0;
  /// With PlanOptions::memory_bytes: what each memory holds, what the last one lacks, bytes moved to and from the arena
  /// and those of them behind the first memory. Offsets count through the memories as they are large.
  std::vector<std::int64_t> memory_used;
  std::int64_t memory_excess = 0;
  double traffic = 0, slow_traffic = 0;
  int unplanned_values = 0;  ///< values that are live but whose size is not known

  const ValuePlan& at(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
};

/// Steps of the order that run as one group of rows.
struct RowRange {
  std::int32_t first = 0, last = 0;  ///< both included
  std::int64_t band = 1;
  bool anew = false;  ///< no rows are kept from band to band

  bool operator==(const RowRange&) const = default;
};

struct PlanOptions {
  std::int64_t alignment = 1;   ///< of arena offsets; the engine asks for 64
  bool views = true;            ///< Reshape, Flatten, Squeeze … share their input's memory
  bool in_place = true;         ///< elementwise nodes write over an input that nobody reads later
  bool fold_constants = false;  ///< what is computed from constants alone takes no memory: it is done beforehand
  /// Decisions spent on a smaller arena when the first placement misses the lower bound; 0: none, as the engine asks,
  /// whose sessions should start at once.
  std::int64_t search_nodes = 20'000;
  std::map<NodeId, NodeMemory> memory = {};  ///< of nodes whose kernel says so
  std::vector<NodeId> order = {};            ///< to run the nodes in; empty: topological_order()
  std::vector<RowRange> groups = {};         ///< steps of the order that run by rows
  /// Sizes of memories, the fastest first, of which each value lies in one; empty: one that takes everything.
  std::vector<std::int64_t> memory_bytes = {};
};

/// Decides order, lifetimes, sharing and offsets. Shapes must be concrete for exact results: see with_input_shapes.
/// Throws ModelError on a cycle or when sizes overflow.
Plan make_plan(const Graph& graph, const PlanOptions& options = {});

/// The plan of what really runs: one sample where dimensions are open, quantized groups as integer operators, nodes
/// that no output needs left out, constants folded. For memory figures; its ids are not the given graph's.
Plan plan_inference(const Graph& graph);

/// Does the node only give its first input another shape, with the same elements in the same order?
bool is_view(const Graph& graph, const Node& node);

/// The graph with these shapes for the inputs named, types inferred again. Symbols bound by one input hold for all.
/// Throws ModelError naming the input when a name, rank or known dimension does not match.
Graph with_input_shapes(Graph graph, const std::map<std::string, Shape>& shapes);

/// The graph with every unknown dimension of an input set to value, types inferred again.
Graph with_unknown_dims(Graph graph, std::int64_t value = 1);

}  // namespace adze
