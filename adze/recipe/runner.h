#pragma once

#include <memory>
#include <string>

#include "adze/data/dataset.h"
#include "adze/engine/compute.h"
#include "adze/evaluate/compare.h"
#include "adze/evaluate/evaluate.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"

namespace adze {

/// Which executor runs a network.
enum class Executor {
  Engine,     ///< fast; quantized groups in integers
  Reference,  ///< plain loops, node by node, as the ONNX text says
};

/// A function that runs the graph, compiled once.
RunFunction make_runner(const Graph& graph, Executor executor = Executor::Engine, Compute compute = Compute::F32);
/// The same, showing inner values. Quantized groups run as written, in float between their quantizers: in integers most
/// inner values do not exist.
ObservedRunFunction make_observed_runner(const Graph& graph);

/// The batch size that the network's first input is fixed to, else wanted.
std::int64_t batch_size_for(const Graph& graph, std::int64_t wanted);

/// How a verb names its data.
struct DataRequest {
  std::string path;           ///< as open_dataset takes it
  std::string name;           ///< as the user wrote it, for recipes and reports; empty: path
  std::string split;          ///< "", "train", "test"
  std::string preprocessing;  ///< flags that change what the model's metadata says
  std::string label_column;
  bool strict = false;

  const std::string& shown() const { return name.empty() ? path : name; }
};

/// Opens the data with the preprocessing that this model asks for.
std::shared_ptr<Dataset> open_data(const Graph& graph, const DataRequest& request);

/// Calibration batches for the graph out of chosen samples of a data set, which must outlive the result.
quantize::CalibrationData calibration_data(const Graph& graph, std::shared_ptr<const Dataset> dataset,
                                           std::vector<std::int64_t> indices);

}  // namespace adze
