#include "cli/model_zeros.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/formats/onnx/sparse_form.h"
#include "adze/graph/facts.h"
#include "adze/prune/zeros.h"

namespace adze::cli {

bool show_zeros(Console& console, const Graph& graph) {
  if (!weight_facts(graph).zeros) return true;
  const auto layers = prune::layer_zeros(graph);
  const prune::ZeroFacts facts = prune::zero_facts(graph, layers);
  auto& json = console.results()["zeros"];
  json = {{"weights", facts.weights},
          {"zeros", facts.zeros},
          {"recorded_weights", facts.recorded_weights},
          {"recorded_zeros", facts.recorded_zeros},
          {"kept", facts.kept()}};
  for (const prune::LayerZeros& layer : layers) {
    json["layers"].push_back(
        {{"name", layer.name}, {"weights", layer.weights}, {"zeros", layer.zeros}, {"pattern", layer.pattern}});
  }
  if (facts.weights == 0) {
    console.line("zeros             not counted: no weights of this form are constant");
    return true;
  }
  const double share = static_cast<double>(facts.zeros) / static_cast<double>(facts.weights);
  std::string text =
      cat("zeros             ", fixed(100 * share, 1), " % of the layers' ", count_text(facts.weights), " weights");
  const auto patterned = [&](const std::string& pattern) {
    return facts.zeros > 0 && std::all_of(layers.begin(), layers.end(), [&](const prune::LayerZeros& layer) {
             return layer.zeros == 0 || layer.pattern == pattern;
           });
  };
  if (patterned("2:4")) text += ", 2:4";
  if (patterned("8x1")) text += ", in blocks of 8x1";
  if (facts.recorded && facts.kept()) text += "; checked: all that pruning made are there";
  console.line(text);
  if (facts.kept()) return true;
  console.remark(cat("zeros were lost: ", facts.weights - facts.zeros,
                     " weights of layers are not 0, and pruning left ", facts.recorded_weights - facts.recorded_zeros,
                     "; prune again, or start from the pruned file"));
  return false;
}

void show_sparse_initializers(Console& console, const Graph& graph) {
  std::int64_t sparse = 0, saved = 0;
  std::optional<double> from;  // share of zeros
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const Tensor* tensor = graph.constant(static_cast<ValueId>(i));
    if (tensor == nullptr) continue;
    const onnx::SparseForm form = onnx::sparse_form(*tensor);
    if (form.smaller()) {
      ++sparse;
      saved += form.dense_bytes - form.sparse_bytes;
    }
    if (const auto share = onnx::sparse_from_share(tensor->dtype()); share && tensor->rank() > 1) {
      from = std::min(from.value_or(1), *share);
    }
  }
  console.results()["sparse_initializers"] = {{"tensors", sparse}, {"saved_bytes", saved}};
  if (sparse > 0) {
    console.line(cat(sparse, " tensors as sparse initializers, which saves ", bytes_text(saved)));
  } else {
    console.line(cat("no tensor gets smaller as a sparse initializer: each value brings its place in 8 bytes",
                     from ? cat(", so that pays from ", fixed(100 * *from, 0), " % zeros") : ""));
  }
}

}  // namespace adze::cli
