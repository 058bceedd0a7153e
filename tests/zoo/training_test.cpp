// What the zoo gives to start training with.
#include <gtest/gtest.h>

#include <cmath>

#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/zoo/zoo.h"

namespace adze::zoo {
namespace {

int count(const Graph& graph, OpKind kind) {
  int result = 0;
  for (const NodeId id : graph.node_ids()) result += graph.node(id).kind == kind;
  return result;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
    result = std::max(result, std::abs(double{a.data<float>()[i]} - double{b.data<float>()[i]}));
  }
  return result;
}

TEST(ZooTraining, KeepsBatchNormsWhenAsked) {
  const Graph kept = build("resnet20,batch_norm"), folded = build("resnet20");
  EXPECT_EQ(count(kept, OpKind::BatchNormalization), count(kept, OpKind::Conv));
  EXPECT_EQ(count(folded, OpKind::BatchNormalization), 0);
  // The gates of squeeze and excitation have biases and no norm.
  const Graph gated = build("efficientnetb0,resolution=32,width=0.25,batch_norm");
  EXPECT_EQ(count(gated, OpKind::Conv) - count(gated, OpKind::BatchNormalization), 2 * 16);
  EXPECT_EQ(count(build("squeezenet10,width=0.25,batch_norm"), OpKind::BatchNormalization), 0);
  EXPECT_EQ(count(build("fcae,batch_norm"), OpKind::BatchNormalization), 9);
  for (const NodeId id : kept.node_ids()) {
    const Node& node = kept.node(id);
    if (node.kind == OpKind::Conv) {
      EXPECT_EQ(node.inputs.size(), 2u);
    }
  }
}

TEST(ZooTraining, HasTheSameWeightsWithAndWithoutNorms) {
  const Graph kept = build("resnet8,batch_norm"), folded = build("resnet8");
  const auto weights = [](const Graph& graph) {
    std::vector<Tensor> tensors;
    for (const NodeId id : graph.node_ids()) {
      if (graph.node(id).kind == OpKind::Conv) tensors.push_back(*graph.constant(graph.node(id).input(1)));
    }
    return tensors;
  };
  const auto a = weights(kept), b = weights(folded);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(identical(a[i], b[i])) << i;
}

TEST(ZooTraining, StartsWithHeVariancesZeroBiasesLogitsAndAnOpenBatch) {
  const Graph graph = build("resnet8,train,seed=3");
  EXPECT_EQ(count(graph, OpKind::Softmax), 0);
  EXPECT_EQ(graph.value(graph.inputs()[0]).type.shape->at(0).symbol, "batch");
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::Conv && node.kind != OpKind::Gemm) continue;
    const Tensor& weight = *graph.constant(node.input(1));
    double squares = 0;
    for (const float value : weight.data<float>()) squares += double{value} * double{value};
    const double fan_in = static_cast<double>(weight.size() / weight.dim(0));
    const double expected = node.kind == OpKind::Conv ? 2.0 : 1.0;
    const double spread = 6 * std::sqrt(2.0 / static_cast<double>(weight.size()));
    EXPECT_NEAR(squares / static_cast<double>(weight.size()) * fan_in, expected, expected * spread) << node.name;
    if (const Tensor* bias = graph.constant(node.input(2))) {
      for (const float value : bias->data<float>()) EXPECT_EQ(value, 0);
    }
  }
}

TEST(ZooTraining, RunsUntrainedInTheEngineAsInTheReference) {
  for (const std::string name :
       {"resnet20,width=0.5,batch_norm", "mobilenetv2_32,width=0.25,batch_norm",
        "mobilenetv3l,resolution=32,width=0.25", "seresnet50,resolution=32,width=0.0625,batch_norm",
        "resnext50,resolution=32,width=0.0625,batch_norm", "squeezenet10,resolution=48,width=0.25", "dscnn_m,width=0.1",
        "dscnn_l,width=0.1,batch_norm", "lenet300", "lenet5", "vggsmall,width=0.1,batch_norm", "mlp,layers=3,units=20",
        "lstm,units=9", "gru,units=9", "efficientnetb1,resolution=32,width=0.25,classes=20"}) {
    const Graph graph = build(name);
    const std::vector<Tensor> inputs = random_inputs(graph, 3);
    const Tensor ours = Session(graph).run(inputs).at(0), plain = reference::run_tensors(graph, inputs).at(0);
    double largest = 0;
    for (const float value : plain.data<float>()) largest = std::max(largest, std::abs(double{value}));
    EXPECT_GT(largest, 1e-3) << name;
    EXPECT_LE(largest_difference(ours, plain), 1e-4 * largest) << name;
  }
}

TEST(ZooTraining, DropsBeforeTheLastLayerOnRequest) {
  for (const std::string name : {"mobilenetv2_32,width=0.25", "lenet5", "gpt,layers=1,features=16,heads=2"}) {
    const Graph plain = build(name + ",train,batch=1"), dropping = build(name + ",train,batch=1,dropout=0.3");
    ASSERT_EQ(count(plain, OpKind::Dropout), 0) << name;
    ASSERT_EQ(count(dropping, OpKind::Dropout), 1) << name;
    const std::vector<Tensor> inputs = random_inputs(plain, 3);
    EXPECT_EQ(largest_difference(Session(plain).run(inputs).at(0), Session(dropping).run(inputs).at(0)), 0) << name;
  }
}

TEST(ZooTraining, OptionAShortcutsRunInTheEngineAsInTheReference) {
  for (const std::string name : {"resnet20a,width=0.5", "resnet20a,width=0.5,int8"}) {
    const Graph graph = build(name);
    const std::vector<Tensor> inputs = random_inputs(graph, 3);
    EXPECT_LE(largest_difference(Session(graph).run(inputs).at(0), reference::run_tensors(graph, inputs).at(0)), 1e-3)
        << name;
  }
}

TEST(ZooTraining, GptLooksOnlyBack) {
  const Graph graph = build("gpt,layers=2,heads=2,features=16,context=8,vocabulary=11,batch=0");
  const auto run = [&](const std::vector<std::int64_t>& tokens) {
    return Session(graph).run(std::vector{Tensor::from<std::int64_t>({1, 8}, tokens)}).at(0);
  };
  const Tensor before = run({1, 2, 3, 4, 5, 6, 7, 8}), after = run({1, 2, 3, 4, 5, 9, 7, 8});
  ASSERT_EQ(before.shape(), (Shape{1, 8, 11}));
  for (std::size_t place = 0; place < 8; ++place) {
    double difference = 0;
    for (std::size_t k = 0; k < 11; ++k) {
      difference += std::abs(before.data<float>()[place * 11 + k] - after.data<float>()[place * 11 + k]);
    }
    EXPECT_EQ(difference == 0, place < 5) << place;
  }
}

TEST(ZooTraining, NamesWhatCannotBeBuilt) {
  for (const char* wrong :
       {"resnet8,int8,batch_norm", "resnet8,train,int8", "lstm,int8", "gpt,int8", "gpt,features=10,heads=3",
        "resnet8,layers=3", "gpt,width=2", "gpt,context=0", "mlp,units=x", "resnet8,train=1"}) {
    EXPECT_THROW(build(wrong), UsageError) << wrong;
  }
}

}  // namespace
}  // namespace adze::zoo
