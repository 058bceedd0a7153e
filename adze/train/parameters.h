#pragma once

#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::train {

/// What training may change in a graph.
struct Trainable {
  std::vector<ValueId> parameters;  ///< f32 constants that gradients change; a tied weight is listed once
  std::vector<ValueId> statistics;  ///< means and variances of batch norms, followed while training
};

/// Weights, biases, scales, slopes and embeddings as the operators name them; constants added to or multiplied with a
/// value count when they have more than one element and something trained lies before them (a mean that is taken off
/// the input stays). freeze: names of values or of nodes that stay, with * and ? as wildcards.
/// Throws UsageError when a pattern names nothing.
Trainable trainable_of(const Graph& graph, const std::vector<std::string>& freeze = {});

/// Names of the parameters that a graph input is multiplied with: weights of the layers that read it, quantizers and
/// movement operators looked through; not of layers that a batch norm follows, to which the input's size is the same.
std::vector<std::string> input_weights(const Graph& graph);

/// Is this a parameter that weight decay should leave alone: a bias, a norm's scale or shift, a slope?
bool is_bias_or_norm(const Graph& graph, ValueId parameter);

/// The graph for any number of samples: the first dimension of every input becomes the symbol "batch", and reshapes
/// that spell out the old number take the input's instead. Throws UnsupportedError naming a node that needs the old
/// number.
Graph with_open_batch(Graph graph);

}  // namespace adze::train
