#include <gtest/gtest.h>

#include <cmath>

#include "adze/engine/isa.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/graph/text.h"
#include "adze/plan/lower_integers.h"
#include "adze/plan/plan.h"
#include "tests/properties/random_graph.h"

namespace adze {
namespace {

/// Largest difference over the largest magnitude; equal non-finite values agree.
double relative_difference(const Tensor& actual, const Tensor& expected) {
  double difference = 0.0, magnitude = 1.0;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    const double a = actual.get_double(i), b = expected.get_double(i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    difference = std::max(difference, std::abs(a - b));
    if (std::isfinite(b)) magnitude = std::max(magnitude, std::abs(b));
  }
  return difference / magnitude;
}

void check(std::uint64_t seed, bool quantized, double tolerance) {
  testing::RandomGraphOptions options;
  options.quantized = quantized;
  const Graph symbolic_graph = adze::testing::random_graph(seed, options);
  for (const std::int64_t batch : {1, 3}) {
    const Graph graph = with_unknown_dims(symbolic_graph, batch);
    const std::vector<Tensor> inputs = random_inputs(graph, seed + 1);
    const Graph lowered = lower_integers(graph);
    const std::vector<Tensor> expected = reference::run_tensors(lowered, inputs);
    for (const Isa isa : machine_isas()) {
      SessionOptions session_options;
      session_options.isa = isa_name(isa);
      Session session(symbolic_graph, session_options);
      const std::vector<Tensor> actual = session.run(inputs);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(actual[i].shape(), expected[i].shape());
        const bool exact = !is_float(expected[i].dtype());
        const bool same =
            exact ? identical(actual[i], expected[i]) : relative_difference(actual[i], expected[i]) <= tolerance;
        ASSERT_TRUE(same) << "seed " << seed << " on " << isa_name(isa) << ", output " << i << "\n"
                          << print_graph(graph, {false});
      }
      session_options.threads = 2;
      const std::vector<Tensor> again = Session(symbolic_graph, session_options).run(inputs);
      for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_TRUE(identical(actual[i], again[i])) << "seed " << seed;
      // What an observer sees last of each output is what an unfused run returns.
      session.observe([](std::string_view, const Tensor&) {});
      const std::vector<Tensor> unfused = session.run(inputs);
      for (std::size_t i = 0; i < actual.size(); ++i) {
        ASSERT_LE(relative_difference(unfused[i], actual[i]), tolerance) << "seed " << seed;
      }
    }
  }
}

TEST(Session, AgreesWithTheReferenceOnRandomGraphs) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) ASSERT_NO_FATAL_FAILURE(check(seed, false, 1e-4));
}

/// Between float parts, a rounding that falls the other way moves a value by one quantization step.
TEST(Session, AgreesWithTheReferenceOnRandomQuantizedGraphs) {
  for (std::uint64_t seed = 100; seed < 120; ++seed) ASSERT_NO_FATAL_FAILURE(check(seed, true, 0.02));
}

}  // namespace
}  // namespace adze
