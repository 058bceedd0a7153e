#pragma once

// Internal to plan/order: what running one node more does to the memory in use.

#include <cstdint>
#include <map>
#include <vector>

#include "adze/plan/plan.h"

namespace adze {

/// Nodes by their place in topological_order().
class OrderMemory {
 public:
  using Done = std::vector<std::uint64_t>;  ///< a bit a node

  OrderMemory(const Graph& graph, const std::map<NodeId, NodeMemory>& memory);

  struct Effect {
    std::int64_t peak = 0;   ///< bytes needed while it runs
    std::int64_t after = 0;  ///< bytes in use after it
  };

  std::size_t size() const { return nodes_.size(); }
  NodeId node(std::size_t i) const { return nodes_[i].id; }
  Done nothing_done() const { return Done((nodes_.size() + 63) / 64, 0); }
  std::int64_t bytes_at_start() const { return at_start_; }
  static bool is_done(const Done& done, std::size_t i) { return (done[i / 64] >> (i % 64) & 1U) != 0; }
  static void set_done(Done& done, std::size_t i) { done[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool is_ready(const Done& done, std::size_t i) const;
  /// Running node i, which is ready, with so many bytes in use.
  Effect run(const Done& done, std::int64_t in_use, std::size_t i) const;
  /// What the node that needs the most takes by itself: its operands, results and scratch memory.
  std::int64_t least_peak() const;

 private:
  struct Piece {  ///< values that share memory: a value and its views
    std::int64_t bytes = 0;
    std::vector<std::size_t> readers;  ///< nodes, each once
    bool stays = false;                ///< an output of the graph
  };
  struct Step {
    NodeId id = NodeId::None;
    std::vector<std::size_t> after;         ///< nodes that must be done
    std::vector<std::size_t> reads, makes;  ///< pieces, each once
    std::vector<std::size_t> operands;      ///< pieces by operand; none for constants
    std::int64_t scratch = 0;
    std::vector<NodeMemory::Overlap> overlaps;
    bool elementwise = false;
  };
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  bool ends(const Done& done, std::size_t piece, std::size_t reader) const;
  std::int64_t saved(const Done& done, std::size_t i) const;

  std::vector<Step> nodes_;
  std::vector<Piece> pieces_;
  std::int64_t at_start_ = 0;
};

}  // namespace adze
