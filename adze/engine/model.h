#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adze/engine/compiled.h"
#include "adze/engine/stored_model.h"
#include "adze/engine/tune.h"
#include "adze/engine/weight_cache.h"

namespace adze::engine {

/// How a graph is lowered when a model takes it.
struct LoweringOptions {
  bool integer = true;  ///< quantized groups become integer operators
  int input_bits = 0;   ///< of products with coded weights: 8, or 0 for inputs as they are
};

/// What all sessions of one model have in common: its graph in integers, its packed weights, its blueprints. Hold mutex
/// while calling anything here; steps read what they were bound to without it.
class Model {
 public:
  std::mutex mutex;
  WeightCache weights;
  TuneTable tuned;

  bool is_ready() const { return graph_ || read_; }
  /// Takes the graph over. With read, which gives the graph once
  /// more, it is held only until a blueprint is drawn for the shapes that it declares.
  void prepare(Graph graph, const LoweringOptions& options, std::function<Graph()> read = {});
  /// Starts from what an earlier session stored. read gives the graph, should it be needed after all.
  void restore(StoredModel stored, const LoweringOptions& options, std::function<Graph()> read);

  bool is_restored() const { return restored_; }
  /// For keeping.
  StoredModel stored(const std::vector<Shape>& shapes, const Compiled& compiled) const {
    return {inputs_, outputs_, shapes, compiled.blueprint()};
  }

  /// The model's file, for messages.
  const std::string& source_file() const { return source_file_; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }

  /// With operators in integers and types inferred.
  std::shared_ptr<const Graph> graph();
  /// For these shapes of the inputs; fuse = false keeps all values for an observer. Kept as long as a session uses it.
  std::shared_ptr<const Blueprint> blueprint(const std::vector<Shape>& shapes, bool fuse);
  /// Lets the system take back the memory of the files that constants lie in.
  void release_files() const;

 private:
  /// Are these the shapes that the model gives its inputs, so that its types are concrete as they are?
  bool is_declared(const std::vector<Shape>& shapes) const;

  std::string source_file_;
  std::vector<Port> inputs_, outputs_;
  std::shared_ptr<const Graph> graph_;
  LoweringOptions options_;
  bool restored_ = false;
  std::function<Graph()> read_;
  /// The given graph's constants: as long as they live, no others can be taken for them (graph_key).
  std::vector<Tensor> given_;
  std::vector<std::pair<std::vector<Shape>, std::weak_ptr<const Blueprint>>> blueprints_;
  std::shared_ptr<const Blueprint> stored_;  ///< until a session took it
  std::vector<Shape> stored_shapes_;
};

/// The model of that key, when a session has it, else a new one that is not ready. An empty key: always a new one.
std::shared_ptr<Model> share_model(const std::string& key);

/// Equal for graphs of equal structure whose constants are the same memory; copies of one graph are such.
std::string graph_key(const Graph& graph);

}  // namespace adze::engine
