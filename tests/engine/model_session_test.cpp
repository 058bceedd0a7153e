#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/plan/cost.h"
#include "adze/plan/lower_integers.h"
#include "adze/plan/plan.h"

namespace adze {
namespace {

class RealModel : public testing::TestWithParam<const char*> {
 protected:
  Graph load() const { return tflite::read(std::filesystem::path(std::getenv("ADZE_DATA")) / "models" / GetParam()); }
  static bool has_data() { return std::getenv("ADZE_DATA") != nullptr; }
};

INSTANTIATE_TEST_SUITE_P(Models, RealModel,
                         testing::Values("ad_autoencoder_float32.tflite", "ad_autoencoder_int8.tflite",
                                         "ic_resnet8_float32.tflite", "ic_resnet8_int8.tflite",
                                         "kws_dscnn_float32.tflite", "kws_dscnn_int8.tflite",
                                         "vww_mobilenetv1_float32.tflite", "vww_mobilenetv1_int8.tflite"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

/// Bytes for integer outputs, the tolerance of a deep float net for floats.
void expect_same(const Tensor& actual, const Tensor& expected) {
  ASSERT_EQ(actual.shape(), expected.shape());
  if (!is_float(actual.dtype())) {
    EXPECT_TRUE(identical(actual, expected));
    return;
  }
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual.get_double(i), expected.get_double(i), 1e-4 * (1.0 + std::abs(expected.get_double(i))));
  }
}

TEST_P(RealModel, RunsFastAsInTheReferenceOnEveryInstructionSet) {
  if (!has_data()) GTEST_SKIP() << "skipped: no ADZE_DATA";
  const Graph graph = with_unknown_dims(load(), 2);
  const std::vector<Tensor> inputs = random_inputs(graph, 11);
  const std::vector<Tensor> expected = reference::run_tensors(lower_integers(graph), inputs);
  for (const Isa isa : machine_isas()) {
    for (const int threads : {1, 2}) {
      SessionOptions options;
      options.isa = isa_name(isa);
      options.threads = threads;
      Session session(graph, options);
      const std::vector<Tensor> actual = session.run(inputs);
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t i = 0; i < actual.size(); ++i) expect_same(actual[i], expected[i]);
      if (isa != Isa::Ref) {
        for (const StepInfo& step : session.steps()) EXPECT_NE(step.kernel, "reference") << step.op << " " << step.name;
      }
    }
  }
}

TEST(ComputeCost, KnowsResnet8) {
  if (std::getenv("ADZE_DATA") == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  const auto models = std::filesystem::path(std::getenv("ADZE_DATA")) / "models";
  for (const char* name : {"ic_resnet8_float32.tflite", "ic_resnet8_int8.tflite"}) {
    const Graph graph = with_unknown_dims(tflite::read(models / name), 1);
    const GraphCost cost = compute_cost(graph);
    EXPECT_EQ(cost.nodes_with_unknown_macs, 0);
    EXPECT_NEAR(static_cast<double>(cost.macs), 12.5e6, 0.1e6);
    EXPECT_NEAR(static_cast<double>(cost.parameters), 78e3, 1e3);
    EXPECT_EQ(compute_cost(lower_integers(graph)).macs, cost.macs);
    const bool is_float = std::string(name).find("float") != std::string::npos;
    EXPECT_EQ(plan_inference(graph).peak_activation_bytes, is_float ? 196608 : 49152);
  }
}

}  // namespace
}  // namespace adze
