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

}  // namespace

std::int64_t row_state_bytes(const RowGroup& group) {
  return (6 * static_cast<std::int64_t>(group.tensors.size()) + 7) / 8 * 8;
}

void walk_rows(const RowGroup& group, const RowEvents& events) {
  Walker(group, events).run();
}

void size_rows(RowGroup& group) {
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
