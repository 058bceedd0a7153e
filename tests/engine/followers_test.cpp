// Whole networks with activations, sums and tables fused into the layers before them, against the same without.
#include <gtest/gtest.h>

#include <cstring>

#include "adze/engine/isa.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/zoo/zoo.h"

namespace adze {
namespace {

std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs, const std::string& isa, int threads,
                        bool fused) {
  SessionOptions options;
  options.isa = isa;
  options.threads = threads;
  Session session(graph, options);
  if (!fused) session.observe([](std::string_view, const Tensor&) {});
  return session.run(inputs);
}

TEST(Followers, GiveTheBytesOfTheSeparateOperatorsInIntegerNetworks) {
  for (const char* name : {"resnet8", "mobilenetv3s,resolution=64", "efficientnetb0,resolution=32"}) {
    for (const char* rounding : {"onnx", "tflm"}) {
      Graph graph = zoo::build(name, {.quantized = true});
      graph.metadata["adze.rounding"] = rounding;
      const std::vector<Tensor> inputs = random_inputs(graph, 3);
      const auto plain = run(graph, inputs, "", 1, false);
      for (const Isa isa : machine_isas()) {
        if (isa == Isa::Ref) continue;  // slow, and without lines of its own that the others lack
        for (const int threads : {1, 3}) {
          const auto fused = run(graph, inputs, std::string(isa_name(isa)), threads, true);
          EXPECT_EQ(std::memcmp(fused[0].bytes().data(), plain[0].bytes().data(), plain[0].bytes().size()), 0)
              << name << " " << rounding << " " << isa_name(isa) << " " << threads;
        }
      }
    }
  }
}

TEST(Followers, MakeFloatNetworksNoDifferentForOneOrMoreThreads) {
  for (const char* name : {"resnet8", "mobilenetv3s,resolution=64"}) {
    const Graph graph = zoo::build(name);
    const std::vector<Tensor> inputs = random_inputs(graph, 3);
    const auto one = run(graph, inputs, "", 1, true), three = run(graph, inputs, "", 3, true);
    EXPECT_EQ(std::memcmp(one[0].bytes().data(), three[0].bytes().data(), one[0].bytes().size()), 0) << name;
  }
}

}  // namespace
}  // namespace adze
