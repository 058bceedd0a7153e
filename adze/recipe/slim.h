#pragma once

#include <map>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/rewrite/simplify.h"

namespace adze {

struct SlimOptions {
  std::vector<std::string> skip;        ///< steps that are left out, by name
  bool verify = true;                   ///< run both networks on random inputs and compare
  std::uint64_t seed = 0;               ///< of those inputs
  std::map<std::string, Shape> shapes;  ///< input shapes for the check; unknown dimensions are 1 otherwise
  double tolerance = 1e-4;              ///< largest allowed |difference| relative to the output's largest magnitude
};

/// How far the outputs of two networks lie apart on the same random inputs.
struct Difference {
  double max_abs = 0;
  double max_rel = 0;  ///< max_abs divided by the largest magnitude of that output
  std::string worst_output;
};

struct SlimOutcome {
  Graph graph;
  std::vector<rewrite::StepResult> steps;
  bool verified = false;
  Difference difference;
};

/// Rewrites that keep the meaning, then the check that they did. Throws Error with exit code 5 when the outputs differ
/// by more than the tolerance, naming the output.
SlimOutcome slim(Graph graph, const SlimOptions& options = {}, ProgressSink& progress = silent_progress());

/// Runs both on random inputs (floats normal, integers small). Throws ModelError when the interfaces differ.
Difference difference_on_random_inputs(const Graph& a, const Graph& b, std::uint64_t seed,
                                       const std::map<std::string, Shape>& shapes);

/// Random tensors for the inputs of the graph; unknown dimensions are 1 unless shapes names the input.
std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed, const std::map<std::string, Shape>& shapes);

}  // namespace adze
