#include "adze/plan/arena_search.h"

#include <algorithm>

#include "adze/base/checked.h"
#include "adze/base/progress.h"

namespace adze {

namespace {

/// Recursion is as deep as there are blocks, and each decision costs a look at all of them.
constexpr std::size_t most_blocks = 1000;

struct Piece {
  std::size_t block;
  std::int64_t bytes;  ///< a multiple of the alignment
  std::size_t first, last;
};

/// Any layout can be pushed down until each block lies on the bottom or on another one. Placing the blocks of such a
/// layout from the lowest upwards gives each the lowest offset above those placed before it that are alive with it:
/// so all orders in which offsets do not fall are tried.
class Search {
 public:
  Search(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t nodes, ArenaLayout& layout)
      : nodes_(nodes), layout_(layout), offsets_(blocks.size(), 0) {
    std::int32_t steps = 0;
    for (const ArenaBlock& block : blocks) steps = std::max(steps, block.last + 1);
    floors_.assign(static_cast<std::size_t>(steps), 0);
    waiting_.assign(floors_.size(), 0);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].bytes == 0) continue;
      const std::int64_t bytes = (blocks[i].bytes + alignment - 1) / alignment * alignment;
      pieces_.push_back(
          {i, bytes, static_cast<std::size_t>(blocks[i].first), static_cast<std::size_t>(blocks[i].last)});
      for (std::size_t step = pieces_.back().first; step <= pieces_.back().last; ++step) {
        waiting_[step] = checked_add(waiting_[step], bytes, "activation size");
      }
    }
    std::stable_sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) { return a.bytes > b.bytes; });
    placed_.assign(pieces_.size(), false);
    bound_ = waiting_.empty() ? 0 : *std::max_element(waiting_.begin(), waiting_.end());
  }

  void run() {
    if (layout_.bytes > bound_ && pieces_.size() <= most_blocks) place_next(0, 0, 0);
    layout_.proved = layout_.bytes == bound_ || (finished_ && pieces_.size() <= most_blocks);
  }

 private:
  std::int64_t floor_of(const Piece& piece) const {
    const auto begin = floors_.begin();
    return *std::max_element(begin + static_cast<std::ptrdiff_t>(piece.first),
                             begin + static_cast<std::ptrdiff_t>(piece.last) + 1);
  }

  /// Even without any gap, what is not placed yet does not fit below the best arena known.
  bool is_hopeless(std::int64_t lowest) const {
    for (std::size_t step = 0; step < floors_.size(); ++step) {
      if (waiting_[step] > 0 && std::max(floors_[step], lowest) + waiting_[step] >= layout_.bytes) return true;
    }
    return false;
  }

  struct Candidate {
    std::size_t piece;
    std::int64_t offset;
  };

  /// What may come next, lowest first, then largest. A block that would leave room for another below it may not.
  std::vector<Candidate> candidates(std::int64_t lowest, std::size_t previous) const {
    std::vector<Candidate> found;
    std::int64_t limit = layout_.bytes;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (placed_[i]) continue;
      const std::int64_t offset = std::max(floor_of(pieces_[i]), lowest);
      limit = std::min(limit, offset + pieces_[i].bytes);
      if (floor_of(pieces_[i]) < lowest || (offset == lowest && i < previous)) continue;
      found.push_back({i, offset});
    }
    std::erase_if(found, [&](const Candidate& candidate) { return candidate.offset >= limit; });
    std::stable_sort(found.begin(), found.end(),
                     [](const Candidate& a, const Candidate& b) { return a.offset < b.offset; });
    return found;
  }

  void place_next(std::size_t count, std::int64_t lowest, std::size_t previous) {
    if (count == pieces_.size()) {
      layout_.bytes = *std::max_element(floors_.begin(), floors_.end());
      layout_.offsets = offsets_;
      return;
    }
    if (is_hopeless(lowest)) return;
    for (const Candidate& candidate : candidates(lowest, previous)) {
      if (layout_.bytes == bound_) return;
      if (nodes_-- <= 0) {
        finished_ = false;
        return;
      }
      if (nodes_ % 1024 == 0) check_cancelled();
      const Piece& piece = pieces_[candidate.piece];
      const auto begin = static_cast<std::ptrdiff_t>(piece.first), end = static_cast<std::ptrdiff_t>(piece.last) + 1;
      const std::vector<std::int64_t> before(floors_.begin() + begin, floors_.begin() + end);
      for (std::size_t step = piece.first; step <= piece.last; ++step) {
        floors_[step] = candidate.offset + piece.bytes;
        waiting_[step] -= piece.bytes;
      }
      placed_[candidate.piece] = true;
      offsets_[piece.block] = candidate.offset;
      place_next(count + 1, candidate.offset, candidate.piece);
      placed_[candidate.piece] = false;
      for (std::size_t step = piece.first; step <= piece.last; ++step) waiting_[step] += piece.bytes;
      std::copy(before.begin(), before.end(), floors_.begin() + begin);
    }
  }

  std::int64_t nodes_;
  ArenaLayout& layout_;
  std::vector<std::int64_t> offsets_;  ///< by block
  std::vector<Piece> pieces_;          ///< largest first
  std::vector<bool> placed_;           ///< by piece
  std::vector<std::int64_t> floors_;   ///< by step: the end of what is placed there
  std::vector<std::int64_t> waiting_;  ///< by step: bytes alive there and not placed
  std::int64_t bound_ = 0;
  bool finished_ = true;
};

}  // namespace

void search_placement(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t nodes,
                      ArenaLayout& layout) {
  Search(blocks, alignment, nodes, layout).run();
}

}  // namespace adze
