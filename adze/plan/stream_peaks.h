#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "adze/plan/stream_groups.h"

namespace adze {

/// What runs of an order's steps need at least, each run as one group of rows or one step at once.
class StreamPeaks {
 public:
  StreamPeaks(const Graph& graph, const std::vector<NodeId>& order, const std::map<NodeId, NodeMemory>& memory);

  struct Need {
    std::int64_t peak_bytes = 0;
    double extra_work = 0;
  };

  std::int32_t steps() const { return static_cast<std::int32_t>(groups_.order().size()); }
  /// A step that runs at once.
  std::int64_t whole(std::int32_t step) const { return whole_[static_cast<std::size_t>(step)]; }
  double work(std::int32_t step) const;
  bool can_run_by_rows(std::int32_t step) const;
  /// Bytes that a group of these steps cannot do without: what comes in or goes out or lies there meanwhile.
  std::int64_t least(std::int32_t first, std::int32_t last) const;
  /// Steps as one group; nothing when they cannot be one.
  const std::optional<Need>& group(const RowRange& range);

 private:
  void find_lifetimes(const Graph& graph);
  std::int64_t whole_peak(std::int32_t step) const;
  std::optional<Need> evaluate(const RowRange& range) const;
  /// Bytes alive at these steps but made and read outside of them only (or all, with everything).
  std::int64_t alive(std::int32_t first, std::int32_t last) const;

  struct Life {
    std::int64_t bytes = 0;
    std::int32_t first = 0, last = -1;
  };

  RowGroups groups_;
  std::vector<std::size_t> root_;  ///< by value: what it is a view of
  std::vector<Life> lives_;        ///< by root
  std::vector<std::int64_t> whole_;
  std::map<std::array<std::int64_t, 4>, std::optional<Need>> known_;
};

}  // namespace adze
