#include <gtest/gtest.h>

#include "adze/data/dataset.h"
#include "adze/engine/session.h"
#include "adze/evaluate/evaluate.h"
#include "adze/formats/onnx/read.h"

namespace adze {
namespace {

TEST(DemoNetwork, RecognisesTheDrawnSymbols) {
  const Graph graph = onnx::read(ADZE_SOURCE_DIR "/examples/demo/demo.onnx");
  Session session(graph);
  const auto data = open_dataset("demo:test", preprocessing_of(graph));
  const RunFunction run = [&](std::span<const Tensor> inputs) { return session.run(inputs); };
  EvaluateOptions options;
  options.samples = 480;
  const EvaluateResult result = evaluate(run, *data, options);
  EXPECT_GE(result.top1, 0.88);
  EXPECT_LE(result.top1, 0.995);  // the data must leave room for damage to show
  EXPECT_GT(result.auc.value(), 0.95);
}

}  // namespace
}  // namespace adze
