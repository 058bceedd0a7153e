#pragma once

// Internal to plan/arena.

#include <cstdint>
#include <span>
#include <vector>

#include "adze/plan/arena.h"

namespace adze {

std::int64_t rounded_up(std::int64_t bytes, std::int64_t alignment);

/// Places blocks one after the other, each as low as those placed before allow.
class ArenaPlacer {
 public:
  /// borders: offsets that no block lies across, multiples of the alignment.
  ArenaPlacer(std::span<const ArenaBlock> blocks, std::span<const ArenaOverlap> overlaps, std::int64_t alignment,
              std::span<const std::int64_t> borders = {});

  /// Of every block that the order names.
  ArenaLayout place(std::span<const std::size_t> order) const;

 private:
  /// Offsets strictly between low and high are taken.
  struct Taken {
    std::int64_t low, high;
  };

  void take(std::size_t i, std::size_t j, std::int64_t offset, std::vector<Taken>& taken) const;
  std::int64_t lowest_free(std::vector<Taken>& taken) const;

  std::span<const ArenaBlock> blocks_;
  std::span<const ArenaOverlap> overlaps_;
  std::int64_t alignment_;
  std::span<const std::int64_t> borders_;
  std::vector<std::vector<std::size_t>> of_block_;  ///< overlaps
};

}  // namespace adze
