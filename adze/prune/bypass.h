#pragma once

#include <string>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// A part of the network that a value can go around: `to` has the type of `from`.
struct Bypass {
  std::string name;  ///< of the node that gives `to`
  ValueId from = ValueId::None, to = ValueId::None;
};

enum class Depth : std::uint8_t {
  Blocks,  ///< residual blocks: what is added to a value that is computed from it, or to at most one layer of that
  Layers,  ///< single layers (convolutions, products) that give the shape they take
  Merged,  ///< activations, or a layer with those around it, between two layers that become one and take fewer MACs
};

/// In graph order. skip: names or operators of nodes that stay.
std::vector<Bypass> find_bypasses(const Graph& graph, Depth depth, const std::vector<std::string>& skip = {});

/// Readers of `to` read `from`; what nothing reads any longer is gone.
Graph bypassed(Graph graph, const Bypass& bypass);

/// The layer that gives `value` (by way of a batch norm) and the one that reads it become one, where that computes the
/// same and takes fewer multiply-accumulates. Was it so?
bool merge_layers_at(Graph& graph, ValueId value);

/// What going around each does to the outputs: squared error over their square.
std::vector<double> bypass_errors(const Graph& graph, const std::vector<Bypass>& bypasses, const Batches& batches,
                                  ProgressSink& progress = silent_progress());

}  // namespace adze::prune
