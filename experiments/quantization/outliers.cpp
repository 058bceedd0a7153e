// outliers MODEL OUTPUT FACTOR CHANNELS SEED: the same network with outlier channels, as large language models have
// them. Some channels of every value that only products with constant weights read become FACTOR times as large, and
// the weights that read them as much smaller: in exact arithmetic the function stays. Dettmers et al.
// (arXiv:2208.07339) find magnitudes of 20 to 60 times the others' in up to a few of a thousand channels.
#include <cstdio>
#include <cstdlib>

#include "adze/base/error.h"
#include "adze/base/random.h"
#include "adze/graph/infer.h"
#include "adze/quantize/shared_inputs.h"
#include "adze/recipe/model_files.h"

namespace {

int give_outliers(const char* model, const char* output, double factor, std::int64_t count, std::uint64_t seed) {
  adze::Graph graph = adze::load_model(model);
  adze::infer_types(graph);
  adze::Random random(seed);
  const auto inputs = adze::quantize::shared_inputs(graph);
  std::vector<std::size_t> chosen;  // the same channels everywhere, as found in such models
  for (std::int64_t i = 0; i < count && !inputs.empty(); ++i) {
    chosen.push_back(random.below(static_cast<std::uint64_t>(inputs[0].channels)));
  }
  for (const auto& input : inputs) {
    std::vector<double> divisors(static_cast<std::size_t>(input.channels), 1.0);
    for (const std::size_t channel : chosen) {
      if (channel < divisors.size()) divisors[channel] = 1 / factor;
    }
    adze::quantize::move_factors(graph, input, divisors);
  }
  adze::save_model(graph, output);
  std::printf("%zu values got %lld channels of %g times their size\n", inputs.size(), static_cast<long long>(count),
              factor);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: outliers MODEL OUTPUT FACTOR CHANNELS SEED\n");
    return 2;
  }
  try {
    return give_outliers(argv[1], argv[2], std::atof(argv[3]), std::atoll(argv[4]),
                         static_cast<std::uint64_t>(std::atoll(argv[5])));
  } catch (const adze::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
