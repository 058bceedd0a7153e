#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/zoo/zoo.h"

namespace adze {
namespace {

/// Memory of this process that no file is behind.
std::int64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  const std::string field = "RssAnon:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::strtoll(line.c_str() + field.size(), nullptr, 10) * 1024;
  }
  return 0;
}

/// One session in each of four threads; what each computed.
std::vector<Tensor> run_four(const Graph& graph, const std::vector<Tensor>& inputs,
                             std::vector<std::optional<Session>>& sessions) {
  std::vector<Tensor> results(4);
  sessions.resize(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      sessions[i].emplace(graph);
      for (int run = 0; run < 3; ++run) results[i] = sessions[i]->run(inputs)[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

TEST(SharedSession, FourThreadsGiveTheSameBytesFromOneCopyOfTheWeights) {
  for (const char* name : {"mobilenetv1,int8", "encoder4x256"}) {
    const Graph graph = zoo::build(name);
    const auto inputs = random_inputs(graph, 3);
    std::vector<std::optional<Session>> sessions;
    const std::int64_t before = anonymous_bytes();
    const auto results = run_four(graph, inputs, sessions);
    const std::int64_t grown = anonymous_bytes() - before;
    for (const Tensor& result : results) EXPECT_TRUE(identical(result, results[0])) << name;
    const std::int64_t weights = sessions[0]->packed_weight_bytes(), arena = sessions[0]->arena_bytes();
    EXPECT_GT(weights, 3'000'000) << name;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    continue;  // their shadow memory counts too
#endif
    // Four arenas and stacks, but not four times the weights: that would be 12 MB more at least.
    EXPECT_LT(grown, weights * 13 / 10 + 4 * (arena + 1'000'000)) << name << " weights " << weights;
  }
}

TEST(SharedSession, MayBeOpenedRunAndClosedByThreadsAtAnyTime) {
  const Graph graph = zoo::build("dscnn,int8,batch=0");
  const auto input_of = [](std::int64_t batch) { return std::vector<Tensor>{Tensor(DType::F32, {batch, 1, 49, 10})}; };
  Session reference(graph);
  std::vector<Tensor> expected;
  for (const std::int64_t batch : {1, 2, 3}) expected.push_back(reference.run(input_of(batch))[0]);
  std::vector<std::thread> threads;
  std::vector<int> equal(4, 0);
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t round = 0; round < 3; ++round) {
        SessionOptions options;
        options.threads = 1 + static_cast<int>(i % 2);
        Session session(graph, options);
        for (std::size_t batch : {1, 2, 3}) {
          const Tensor result = session.run(input_of(static_cast<std::int64_t>(batch)))[0];
          equal[i] += identical(result, expected[batch - 1]) ? 1 : 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : equal) EXPECT_EQ(count, 9);
}

TEST(SharedSession, LastsAsLongAsOneSessionOfTheGraph) {
  const Graph graph = zoo::build("resnet8,int8");
  const auto inputs = random_inputs(graph, 3);
  std::optional<Session> first(graph);
  Session second(graph);
  const auto expected = first->run(inputs);
  first.reset();
  EXPECT_TRUE(identical(second.run(inputs)[0], expected[0]));
}

TEST(SharedSession, GraphsOfOtherWeightsOrSettingsShareNothing) {
  Graph graph = zoo::build("resnet8");
  const auto inputs = random_inputs(graph, 3);
  Session first(graph);
  Graph changed = graph;
  for (std::int32_t i = 0; i < changed.num_values(); ++i) {
    std::optional<Tensor>& constant = changed.value(static_cast<ValueId>(i)).constant;
    if (!constant || constant->rank() != 4) continue;
    constant->mutable_data<float>()[17] += 1.0f;  // in the middle: neither the ends nor the structure change
    break;
  }
  Session second(changed);
  EXPECT_FALSE(identical(second.run(inputs)[0], first.run(inputs)[0]));
  SessionOptions options;
  options.isa = "ref";
  EXPECT_EQ(Session(graph, options).isa(), "ref");
  EXPECT_EQ(Session(graph).isa(), first.isa());
}

}  // namespace
}  // namespace adze
