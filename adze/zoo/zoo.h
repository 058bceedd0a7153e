#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adze/graph/graph.h"

/// Well-known networks built from their papers' descriptions, with seeded random weights: for measuring, for tests and
/// as a start for training. Nothing is downloaded.
namespace adze::zoo {

struct ZooOptions {
  std::uint64_t seed = 1;
  std::int64_t batch = 1;   ///< 0: left open, as dimension "batch"
  bool quantized = false;   ///< as QDQ graph: weights int8 per output channel, activations uint8 of fixed ranges
  bool batch_norm = false;  ///< batch norms stay in the graph as BatchNormalization; else they are folded
  bool logits = false;      ///< without the softmax at the end
  bool training = false;    ///< batch_norm and logits, biases 0, weights by He et al., arXiv:1502.01852
  double dropout = 0;       ///< share dropped before the last layer while training (Srivastava et al., 2014)
  bool cache = false;       ///< with past keys and values as inputs, present ones as outputs (gpt)
  bool zeros = false;       ///< every weight 0: for counting large networks quickly
  std::optional<double> width = {};             ///< factor on all channel counts; absent: the network's own
  std::optional<std::int64_t> resolution = {};  ///< height and width of the picture
  std::optional<std::int64_t> classes = {};     ///< outputs of the last layer
  /// Other sizes by name, where the network has them: layers, heads, features, context, vocabulary, units, inputs.
  std::map<std::string, std::int64_t, std::less<>> sizes = {};
};

/// One line of the table of networks.
struct ZooEntry {
  std::string name;
  std::string summary;  ///< what it is, its input, where it comes from
};

/// All networks, in the order of the table.
const std::vector<ZooEntry>& entries();
std::vector<std::string> names();

/// Builds a network: "resnet8", or with settings that override the options:
/// "mobilenetv1,width=0.25,resolution=96,classes=10,batch=4,seed=7,int8", "resnet20,batch_norm", "resnet20,train"
/// (batch norms, logits, an open batch, weights to start training with), "gpt,layers=4,context=64", "gpt,cache". Batch
/// norms are folded unless asked for. Input "input" f32[batch, …] (tokens: s64), output "output". Throws UsageError for an
/// unknown name (listing the names), an unknown or wrong setting, and for one that the network does not have.
Graph build(std::string_view description, ZooOptions options = {});

}  // namespace adze::zoo
