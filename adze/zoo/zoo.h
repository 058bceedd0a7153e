#pragma once

#include <cstdint>
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
  bool batch_norm = false;  ///< layers that the paper normalizes keep their BatchNormalization, for training
  bool quantized = false;   ///< as QDQ graph: weights int8 per output channel, activations uint8 of fixed ranges
  std::optional<double> width = {};             ///< factor on all channel counts; absent: the network's own
  std::optional<std::int64_t> resolution = {};  ///< height and width of the picture
  std::optional<std::int64_t> classes = {};     ///< outputs of the last layer
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
/// "mobilenetv1,width=0.25,resolution=96,classes=10,batch=4,seed=7,int8". Batch norms are folded unless "batch_norm" is
/// among them. Input "input"
/// f32[batch, …], output "output". Throws UsageError for an unknown name (listing the names), an unknown or wrong
/// setting, and for one that the network does not have.
Graph build(std::string_view description, ZooOptions options = {});

}  // namespace adze::zoo
