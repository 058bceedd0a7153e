#include "adze/base/progress.h"
#include "adze/engine/reference/adze.h"
#include "adze/plan/coded_weights.h"

namespace adze::reference::integer {

void coded_product(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const CodedWeights weights = coded_weights(node, context.input(1), context.optional_input(2),
                                             context.optional_input(3), context.optional_input(5));
  const std::int64_t rank = x.rank(), axis = node.get_int("axis") == 1 ? 1 : rank - 1;
  Shape shape = x.shape();
  std::int64_t outer = 1, inner = 1;
  for (std::int64_t d = 0; d < axis; ++d) outer *= shape[static_cast<std::size_t>(d)];
  for (std::int64_t d = axis + 1; d < rank; ++d) inner *= shape[static_cast<std::size_t>(d)];
  shape[static_cast<std::size_t>(axis)] = weights.columns;
  Tensor result(DType::F32, shape);
  const auto from = x.data<float>();
  const auto to = result.mutable_data<float>();
  for (std::int64_t j = 0; j < weights.columns; ++j) {
    check_cancelled();
    std::vector<double> column;
    for (std::int64_t k = 0; k < weights.depth; ++k) column.push_back(static_cast<double>(weights.weight(k, j)));
    const double bias = context.has(coded_bias_input) ? context.input(coded_bias_input).get_double(j) : 0.0;
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t i = 0; i < inner; ++i) {
        double sum = bias;
        for (std::int64_t k = 0; k < weights.depth; ++k) {
          sum += static_cast<double>(from[static_cast<std::size_t>((o * weights.depth + k) * inner + i)]) *
                 column[static_cast<std::size_t>(k)];
        }
        to[static_cast<std::size_t>((o * weights.columns + j) * inner + i)] = static_cast<float>(sum);
      }
    }
  }
  context.set(0, std::move(result));
}

}  // namespace adze::reference::integer
