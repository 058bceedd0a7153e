#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// How a node can be run a few output rows at a time: row y of its output needs rows y * stride - pad and the extent -
/// 1 behind it of each of these operands, as far as they exist.
struct RowForm {
  std::vector<std::size_t> operands;  ///< none: the node cannot
  std::int64_t extent = 1, stride = 1, pad = 0;
};

/// A picture in rows while a group runs: all of it, or the few rows that are still needed.
struct RowTensor {
  ValueId value = ValueId::None;
  std::int64_t rows = 0, row_bytes = 0;
  std::int64_t held = 0;    ///< rows that there is memory for; as many as rows for what comes in or goes out
  std::int32_t maker = -1;  ///< stage; -1: comes in
  bool goes_out = false;

  bool is_whole() const { return maker < 0 || goes_out; }
  std::int64_t held_bytes() const { return held * row_bytes; }
};

/// A node of a group.
struct RowStage {
  NodeId node = NodeId::None;
  std::vector<std::int32_t> inputs;  ///< tensors, one an operand of the form
  std::int32_t output = -1;          ///< tensor
  RowForm form;
  std::int64_t rows_made = 0;  ///< of all calls together
};

/// Nodes that follow each other in the order and run interleaved: each produces `band` rows when a later one misses
/// them. Of what stays inside only a few rows exist at a time. Either nothing is computed twice, and rows that a later
/// band needs as well are kept; or each band of the last output is computed anew, all stages one after the other: then
/// the rows of a tensor are in memory only from its maker to its last reader.
struct RowGroup {
  std::int32_t first = 0, last = 0;  ///< steps of the order, both included
  std::int64_t band = 1;
  bool anew = false;  ///< one tensor goes out then, the last stage's
  std::vector<RowTensor> tensors;
  std::vector<RowStage> stages;
  /// An output may start `distance` bytes before a tensor that comes in, or anywhere before that.
  struct Overlap {
    std::int32_t input = -1, output = -1;
    std::int64_t distance = 0;
  };
  std::vector<Overlap> overlaps;
  std::int64_t scratch_bytes = 0;  ///< the largest of its stages' scratch memories, and row_state_bytes
  std::int64_t calls = 0;          ///< of stages
  std::int64_t moved_bytes = 0;    ///< rows moved to the front of their memory

  bool contains(std::int32_t step) const { return first <= step && step <= last; }
};

/// What the scheduler of a group remembers: two bytes for rows held, rows made and the stage that waits, a tensor.
std::int64_t row_state_bytes(const RowGroup& group);

/// What happens in a group, in the order in which it happens.
struct RowEvents {
  /// A stage computes rows [row, row + count) of its output. first[t]: the first row that tensor t holds now.
  std::function<void(std::size_t stage, std::int64_t row, std::int64_t count, std::span<const std::int64_t> first)> run;
  /// A tensor gives up the rows before `first`; `count` rows from there on move to the front.
  std::function<void(std::size_t tensor, std::int64_t shift, std::int64_t count)> move;
};

/// Goes through a group as the emitted scheduler does. Throws InternalError when a stage would need rows that are not
/// held.
void walk_rows(const RowGroup& group, const RowEvents& events);

/// Sets held, overlaps, calls and moved_bytes of a group whose tensors and stages are given. The least memory: a tensor
/// moves whenever it gets rows.
void size_rows(RowGroup& group);

}  // namespace adze
