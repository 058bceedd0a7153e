#include "adze/plan/stream.h"

#include <algorithm>
#include <limits>

#include "adze/base/error.h"

namespace adze {

namespace {

/// The state of a group between two calls.
class Walker {
 public:
  Walker(const RowGroup& group, const RowEvents& events)
      : group_(group),
        events_(events),
        first_(group.tensors.size(), 0),
        made_(group.tensors.size(), 0),
        waits_(group.stages.size(), 0) {
    for (std::size_t t = 0; t < group.tensors.size(); ++t) {
      if (group.tensors[t].maker < 0) made_[t] = group.tensors[t].rows;
    }
  }

  void run() {
    for (std::size_t stage = group_.stages.size(); stage-- > 0;) {
      const RowTensor& output = tensor(group_.stages[stage].output);
      if (output.goes_out) complete(stage);
    }
  }

  /// The first row of a tensor that a stage still needs, before it runs; rows when none does.
  std::int64_t lowest_needed(std::size_t of) const {
    std::int64_t lowest = group_.tensors[of].rows;
    for (const RowStage& stage : group_.stages) {
      const bool reads =
          std::find(stage.inputs.begin(), stage.inputs.end(), static_cast<std::int32_t>(of)) != stage.inputs.end();
      const std::int64_t row = made_[static_cast<std::size_t>(stage.output)];
      if (!reads || row == tensor(stage.output).rows) continue;
      lowest = std::min(lowest, std::max<std::int64_t>(0, row * stage.form.stride - stage.form.pad));
    }
    return lowest;
  }
  std::int64_t made(std::size_t of) const { return made_[of]; }

 private:
  const RowTensor& tensor(std::int32_t of) const { return group_.tensors[static_cast<std::size_t>(of)]; }

  /// Demand from the back, without recursion: a stage that misses rows waits for their maker.
  void complete(std::size_t goal) {
    std::size_t at = goal;
    const auto goal_output = static_cast<std::size_t>(group_.stages[goal].output);
    while (made_[goal_output] < group_.tensors[goal_output].rows) {
      const RowStage& stage = group_.stages[at];
      const std::int64_t row = made_[static_cast<std::size_t>(stage.output)];
      const std::int64_t count = std::min(group_.band, tensor(stage.output).rows - row);
      const std::int32_t missing = missing_maker(stage, row + count);
      if (missing >= 0) {
        waits_[static_cast<std::size_t>(missing)] = at;
        at = static_cast<std::size_t>(missing);
        continue;
      }
      make_room(static_cast<std::size_t>(stage.output), count);
      if (events_.run) events_.run(at, row, count, first_);
      made_[static_cast<std::size_t>(stage.output)] += count;
      if (at != goal) at = waits_[at];
    }
  }

  std::int32_t missing_maker(const RowStage& stage, std::int64_t end_row) const {
    for (const std::int32_t input : stage.inputs) {
      const std::int64_t end = (end_row - 1) * stage.form.stride - stage.form.pad + stage.form.extent;
      if (made_[static_cast<std::size_t>(input)] < std::min(end, tensor(input).rows)) return tensor(input).maker;
    }
    return -1;
  }

  void make_room(std::size_t of, std::int64_t count) {
    const RowTensor& to = group_.tensors[of];
    if (made_[of] - first_[of] + count <= to.held) return;
    const std::int64_t lowest = std::min(lowest_needed(of), made_[of]);
    if (made_[of] - lowest + count > to.held) throw InternalError("a row that is still needed has no memory");
    if (events_.move) events_.move(of, lowest - first_[of], made_[of] - lowest);
    first_[of] = lowest;
  }

  const RowGroup& group_;
  const RowEvents& events_;
  std::vector<std::int64_t> first_, made_;  ///< by tensor
  std::vector<std::size_t> waits_;          ///< by stage: who waits for it
};

/// Rows [first, end) of a tensor.
struct Interval {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), end = 0;
};

/// The rows of every tensor that rows [row, row + band) of the last stage's output need.
std::vector<Interval> needed_rows(const RowGroup& group, std::int64_t row) {
  std::vector<Interval> needed(group.tensors.size());
  const auto goal = static_cast<std::size_t>(group.stages.back().output);
  needed[goal] = {row, std::min(row + group.band, group.tensors[goal].rows)};
  for (std::size_t i = group.stages.size(); i-- > 0;) {
    const RowStage& stage = group.stages[i];
    const Interval made = needed[static_cast<std::size_t>(stage.output)];
    const std::int64_t top = made.first * stage.form.stride - stage.form.pad;
    const std::int64_t end = (made.end - 1) * stage.form.stride - stage.form.pad + stage.form.extent;
    for (const std::int32_t input : stage.inputs) {
      Interval& read = needed[static_cast<std::size_t>(input)];
      read.first = std::min(read.first, std::max<std::int64_t>(0, top));
      read.end = std::max(read.end, std::min(end, group.tensors[static_cast<std::size_t>(input)].rows));
    }
  }
  return needed;
}

/// Calls for each band of the last output.
template <typename Visit>
void each_band(const RowGroup& group, const Visit& visit) {
  const std::int64_t rows = group.tensors[static_cast<std::size_t>(group.stages.back().output)].rows;
  for (std::int64_t row = 0; row < rows; row += group.band) visit(row, needed_rows(group, row));
}

void walk_anew(const RowGroup& group, const RowEvents& events) {
  each_band(group, [&](std::int64_t, const std::vector<Interval>& needed) {
    std::vector<std::int64_t> first;
    for (std::size_t t = 0; t < needed.size(); ++t) first.push_back(group.tensors[t].is_whole() ? 0 : needed[t].first);
    for (std::size_t stage = 0; stage < group.stages.size(); ++stage) {
      const Interval& made = needed[static_cast<std::size_t>(group.stages[stage].output)];
      if (events.run) events.run(stage, made.first, made.end - made.first, first);
    }
  });
}

/// How many bytes before a tensor that comes in the output may begin.
std::int64_t distance_anew(const RowGroup& group, std::size_t input) {
  const RowTensor& from = group.tensors[input];
  const RowStage& last = group.stages.back();
  const RowTensor& to = group.tensors[static_cast<std::size_t>(last.output)];
  const bool read_while_writing =
      std::find(last.inputs.begin(), last.inputs.end(), static_cast<std::int32_t>(input)) != last.inputs.end();
  std::int64_t distance = -from.rows * from.row_bytes;
  std::vector<Interval> needed, written;  // by band
  each_band(group, [&](std::int64_t, const std::vector<Interval>& rows) {
    needed.push_back(rows[input]);
    written.push_back(rows[static_cast<std::size_t>(last.output)]);
  });
  std::int64_t lowest = from.rows;
  for (std::size_t band = needed.size(); band-- > 0;) {
    if (read_while_writing) lowest = std::min(lowest, needed[band].first);
    if (lowest < from.rows) distance = std::max(distance, written[band].end * to.row_bytes - lowest * from.row_bytes);
    lowest = std::min(lowest, needed[band].first);
  }
  return distance;
}

void size_anew(RowGroup& group) {
  group.calls = 0;
  for (RowStage& stage : group.stages) stage.rows_made = 0;
  for (RowTensor& tensor : group.tensors) tensor.held = tensor.is_whole() ? tensor.rows : 0;
  each_band(group, [&](std::int64_t, const std::vector<Interval>& needed) {
    for (RowStage& stage : group.stages) {
      const Interval& made = needed[static_cast<std::size_t>(stage.output)];
      RowTensor& output = group.tensors[static_cast<std::size_t>(stage.output)];
      stage.rows_made += made.end - made.first;
      if (!output.is_whole()) output.held = std::max(output.held, made.end - made.first);
      ++group.calls;
    }
  });
  group.overlaps.clear();
  for (std::size_t t = 0; t < group.tensors.size(); ++t) {
    if (group.tensors[t].maker >= 0) continue;
    group.overlaps.push_back({static_cast<std::int32_t>(t), group.stages.back().output, distance_anew(group, t)});
  }
}

}  // namespace

std::int64_t row_state_bytes(const RowGroup& group) {
  return (6 * static_cast<std::int64_t>(group.tensors.size()) + 7) / 8 * 8;
}

void walk_rows(const RowGroup& group, const RowEvents& events) {
  if (group.anew) return walk_anew(group, events);
  Walker(group, events).run();
}

void size_rows(RowGroup& group) {
  if (group.anew) return size_anew(group);
  for (RowStage& stage : group.stages) stage.rows_made = group.tensors[static_cast<std::size_t>(stage.output)].rows;
  for (RowTensor& tensor : group.tensors) tensor.held = tensor.rows;  // nothing moves in the first walk
  std::vector<std::int64_t> held(group.tensors.size(), 0);
  std::vector<std::int64_t> distance(group.tensors.size() * group.tensors.size(),
                                     std::numeric_limits<std::int64_t>::min());  // by input, then output
  group.calls = 0;
  const Walker* now = nullptr;
  RowEvents events;
  events.run = [&](std::size_t stage, std::int64_t row, std::int64_t count, std::span<const std::int64_t>) {
    ++group.calls;
    const auto output = static_cast<std::size_t>(group.stages[stage].output);
    const std::int64_t lowest = std::min(now->lowest_needed(output), row);
    held[output] = std::max(held[output], row + count - lowest);
    if (!group.tensors[output].goes_out) return;
    for (std::size_t input = 0; input < group.tensors.size(); ++input) {
      if (group.tensors[input].maker >= 0) continue;
      const std::int64_t needed = now->lowest_needed(input);
      std::int64_t& most = distance[input * group.tensors.size() + output];
      if (needed == group.tensors[input].rows) continue;
      most = std::max(most, (row + count) * group.tensors[output].row_bytes - needed * group.tensors[input].row_bytes);
    }
  };
  Walker walker(group, events);
  now = &walker;
  walker.run();
  group.overlaps.clear();
  for (std::size_t t = 0; t < group.tensors.size(); ++t) {
    if (!group.tensors[t].is_whole()) group.tensors[t].held = held[t];
    for (std::size_t output = 0; output < group.tensors.size(); ++output) {
      if (group.tensors[t].maker >= 0 || !group.tensors[output].goes_out) continue;
      const std::int64_t everywhere = -group.tensors[t].rows * group.tensors[t].row_bytes;
      const std::int64_t most = std::max(everywhere, distance[t * group.tensors.size() + output]);
      group.overlaps.push_back({static_cast<std::int32_t>(t), static_cast<std::int32_t>(output), most});
    }
  }
  group.moved_bytes = 0;
  RowEvents moves;
  moves.move = [&](std::size_t tensor, std::int64_t, std::int64_t count) {
    group.moved_bytes += count * group.tensors[tensor].row_bytes;
  };
  walk_rows(group, moves);
}

}  // namespace adze
