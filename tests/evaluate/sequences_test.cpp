// Networks with state, called step by step, give what the whole sequence gives.
#include "adze/evaluate/sequences.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/zoo/zoo.h"

namespace adze {
namespace {

constexpr const char* small = ",layers=2,heads=2,features=16,context=8,vocabulary=11,batch=0";

RunFunction on_engine(const Graph& graph) {
  auto session = std::make_shared<Session>(graph);
  return [session](std::span<const Tensor> inputs) { return session->run(inputs); };
}

Tensor tokens(std::int64_t batch, std::int64_t count) {
  Random random(3);
  Tensor tensor(DType::S64, {batch, count});
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, static_cast<std::int64_t>(random.below(11)));
  return tensor;
}

void expect_near(const Tensor& a, const Tensor& b, double tolerance) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::int64_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a.get_double(i), b.get_double(i), tolerance) << i;
}

TEST(Sequences, CachedGptGivesWhatThePlainOneGives) {
  const Graph plain = zoo::build(std::string("gpt") + small), cached = zoo::build(std::string("gpt,cache") + small);
  ASSERT_EQ(find_states(cached).size(), 4u);
  const std::vector<Tensor> sequences{tokens(3, 8)};
  const Tensor expected = on_engine(plain)(sequences).at(0);
  for (const std::int64_t step : {1, 3, 0}) {
    const auto outputs = run_sequences(cached, on_engine(cached), step)(sequences);
    ASSERT_EQ(outputs.size(), 1u);
    expect_near(outputs[0], expected, 1e-5);
  }
  const RunFunction reference = [&](std::span<const Tensor> inputs) {
    return reference::run_tensors(cached, {inputs.begin(), inputs.end()});
  };
  expect_near(run_sequences(cached, reference, 1)(sequences).at(0), expected, 1e-5);
}

TEST(Sequences, StatesBeginAsZerosAndAreFedBack) {
  Graph graph;
  const auto type = ValueType::tensor(DType::F32, SymbolicShape{Dim::named("n"), 1});
  const ValueId x = graph.add_input("x", type), sum = graph.add_input("sum_in", type);
  const ValueId next = graph.add(OpKind::Add, {x, sum}, {}, "sum_out");
  graph.value(next).name = "sum_out";
  graph.value(next).type = type;
  graph.add_output(graph.add(OpKind::Neg, {next}, {}, "y"));
  graph.add_output(next);
  const auto run = run_sequences(graph, on_engine(graph), 1);
  const std::vector<Tensor> sequences{Tensor::from<float>({2, 3}, {1, 2, 3, 10, 20, 30})};
  expect_near(run(sequences).at(0), Tensor::from<float>({2, 3}, {-1, -3, -6, -10, -30, -60}), 0);
  // All inputs given: one call.
  const std::vector<Tensor> all{Tensor::from<float>({1, 1}, {4}), Tensor::from<float>({1, 1}, {5})};
  EXPECT_EQ(run(all).at(1).get_double(0), 9);
}

TEST(Sequences, MasksAndPlacesAreFilledIn) {
  Graph graph;
  const auto ints = [](const char* name) { return ValueType::tensor(DType::S64, SymbolicShape{1, Dim::named(name)}); };
  const ValueId ids = graph.add_input("input_ids", ints("t")), mask = graph.add_input("attention_mask", ints("all"));
  const ValueId places = graph.add_input("position_ids", ints("t"));
  const ValueId past = graph.add_input("past", ints("p"));
  const ValueId present = graph.add(OpKind::Concat, {past, ids}, {{"axis", std::int64_t{1}}}, "present");
  graph.value(present).name = "present";
  graph.value(present).type = ints("all");
  for (const ValueId id : {mask, places}) graph.add_output(graph.add(OpKind::Identity, {id}, {}, "out"));
  graph.add_output(present);
  const Sequences sequences(graph, 2);
  const Tensor whole = tokens(1, 5);
  ASSERT_EQ(sequences.num_calls(whole), 3);
  const std::vector<Tensor> before{whole, whole, tokens(1, 4)};
  const std::vector<Tensor> last = sequences.call(whole, 2, before);
  EXPECT_EQ(last[0].shape(), (Shape{1, 1}));
  EXPECT_EQ(last[1].shape(), (Shape{1, 5}));
  EXPECT_EQ(last[1].get_int(4), 1);
  EXPECT_EQ(last[2].get_int(0), 4);
  EXPECT_EQ(last[3].shape(), (Shape{1, 4}));
  EXPECT_EQ(sequences.call(whole, 0, {})[3].shape(), (Shape{1, 0}));
}

TEST(Sequences, RefusesTwoDataInputs) {
  Graph graph;
  const auto type = ValueType::tensor(DType::F32, SymbolicShape{1, 1});
  const ValueId x = graph.add_input("x", type), z = graph.add_input("z", type), past = graph.add_input("past", type);
  const ValueId sum = graph.add(OpKind::Sum, {x, z, past}, {}, "present");
  graph.value(sum).name = "present";
  graph.value(sum).type = type;
  graph.add_output(sum);
  EXPECT_THROW(Sequences(graph, 1).require_one_data_input(), UsageError);
  // Runs with all inputs given go through.
  const RunFunction runs = run_sequences(graph, [](std::span<const Tensor>) { return std::vector<Tensor>{}; });
  EXPECT_TRUE(runs(std::vector<Tensor>(3)).empty());
}

}  // namespace
}  // namespace adze
