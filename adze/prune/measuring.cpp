#include "adze/prune/measuring.h"

namespace adze::prune {

Outputs outputs_of(const Graph& graph, const Batches& batches) {
  Session session(graph, measuring_options());
  Outputs outputs;
  for (std::int64_t i = 0; i < batches.count; ++i) {
    check_cancelled();
    outputs.push_back(session.run(batches.batch(i)));
  }
  return outputs;
}

double relative_error(const Outputs& wanted, const Outputs& got) {
  double error = 0, square = 0;
  for (std::size_t batch = 0; batch < wanted.size(); ++batch) {
    for (std::size_t o = 0; o < wanted[batch].size(); ++o) {
      const auto a = to_floats(wanted[batch][o]), b = to_floats(got[batch][o]);
      for (std::size_t i = 0; i < a.size(); ++i) {
        error += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
        square += static_cast<double>(a[i]) * a[i];
      }
    }
  }
  return square > 0 ? error / square : error;
}

}  // namespace adze::prune
