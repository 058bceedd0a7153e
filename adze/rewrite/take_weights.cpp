#include "adze/rewrite/take_weights.h"

#include <utility>

#include "adze/base/text.h"

namespace adze::rewrite {

int take_weights(Graph& graph, const Graph& from) {
  int taken = 0;
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const Tensor* own = std::as_const(graph).constant(id);
    if (own == nullptr || !is_float(own->dtype())) continue;
    const std::string name = std::as_const(graph).value(id).name;
    const Tensor* other = from.constant(from.find_value(name));
    const bool fits = other != nullptr && other->dtype() == own->dtype() && other->shape() == own->shape();
    if (fits) {
      graph.value(id).constant = *other;
      ++taken;
    } else if (own->rank() > 1) {
      throw ModelError(cat("the weights ", adze::quoted(name), ", ", type_text(*own), ", are ",
                           other == nullptr ? "not there" : type_text(*other), " in the other model"),
                       {from.source_file, "", ""}, "build the network with the same settings");
    }
  }
  for (const auto& [key, value] : from.metadata) graph.metadata.emplace(key, value);
  return taken;
}

}  // namespace adze::rewrite
