#pragma once

#include <string>
#include <vector>

#include "adze/engine/peaks.h"
#include "benchmarks/peers/layers.h"
#include "benchmarks/peers/onnxruntime.h"
#include "benchmarks/peers/start.h"
#include "benchmarks/peers/timing.h"

namespace adze::peers {

/// What is asked for on the command line.
struct Request {
  std::vector<std::string> networks;    ///< of the zoo, settings allowed
  std::vector<std::string> precisions;  ///< names of ways
  std::vector<int> threads;
  double seconds = 2;  ///< for each engine and each line
  std::string isa;     ///< cap for adze, below those of the ways
  bool start = true;   ///< measure creation and memory too
  bool layers = true;  ///< and single layers
};

/// A network in one way (precision), run in both engines with one number of threads.
struct Line {
  std::string network, precision;
  int threads = 1;
  std::int64_t macs = 0;
  std::string isa;
  Times ours_cpu, ours_wall, theirs_cpu, theirs_wall;

  const Times& ours() const { return threads == 1 ? ours_cpu : ours_wall; }
  const Times& theirs() const { return threads == 1 ? theirs_cpu : theirs_wall; }
  double ratio() const { return theirs().median / ours().median; }
};

/// How the outputs of both engines on the same input differ.
struct Difference {
  double largest = 0;
  double equal = 1;          ///< share of outputs less than half a quantization step apart
  double within_a_step = 1;  ///< at most one step
};

struct Agreement {
  std::string network, precision;
  double largest_output = 0;  ///< absolute value
  Difference fused;           ///< from ONNX Runtime as it is measured
  Difference unfused;         ///< from ONNX Runtime that runs the model's operators one by one
};

struct Start {
  std::string network, precision;
  StartCost ours, ours_cached, theirs;
};

struct Comparison {
  std::vector<Line> lines;
  std::vector<Agreement> agreements;
  std::vector<Start> starts;
  std::vector<Layer> layers;
};

/// Writes each network as one ONNX file and measures both engines on it. note receives a line of text per result.
Comparison compare(const Request& request, const std::filesystem::path& library,
                   const std::function<void(const std::string&)>& note);

}  // namespace adze::peers
