#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;
using Ints = std::vector<std::int64_t>;

/// Weights with rows of outputs, of which blocks of `block` outputs are 0 together.
Tensor sparse_weights(Shape shape, std::int64_t block, Random& random) {
  Tensor w = random_floats(shape, random);
  const std::int64_t columns = w.size() / shape[0];
  for (std::int64_t first = 0; first < shape[0]; first += block) {
    for (std::int64_t k = 0; k < columns; ++k) {
      if (random.uniform() >= 0.9) continue;
      for (std::int64_t row = first; row < std::min(first + block, shape[0]); ++row) {
        w.mutable_data<float>()[static_cast<std::size_t>(row * columns + k)] = 0;
      }
    }
  }
  return w;
}

/// A 3 × 3 convolution with pads and stride, 1 × 1 with a residual sum, and a fully connected layer.
Graph sparse_network(std::int64_t block, std::int64_t stride, Random& random) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, 40, 20, 20}));
  const ValueId first = graph.add(OpKind::Conv,
                                  {x, graph.add_constant("w1", sparse_weights({72, 40, 3, 3}, block, random)),
                                   graph.add_constant("b1", random_floats({72}, random))},
                                  {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{stride, stride}}}, "wide");
  const ValueId relu = graph.add(OpKind::Relu, {first}, {}, "relu");
  const ValueId second = graph.add(
      OpKind::Conv, {relu, graph.add_constant("w2", sparse_weights({72, 72, 1, 1}, block, random))}, {}, "point");
  const ValueId sum = graph.add(OpKind::Add, {second, relu}, {}, "sum");
  const ValueId mean = graph.add(OpKind::GlobalAveragePool, {sum}, {}, "mean");
  const ValueId flat = graph.add(OpKind::Flatten, {mean}, {}, "flat");
  graph.add_output(graph.add(OpKind::Gemm, {flat, graph.add_constant("w3", sparse_weights({100, 72}, block, random))},
                             {{"transB", std::int64_t{1}}}, "dense"));
  infer_types(graph);
  return graph;
}

TEST(SparseNetwork, ComputesWhatTheReferenceDoes) {
  Random random(63);
  for (const Isa isa : {Isa::Avx2, Isa::Avx512Vnni}) {
    if (!isa_allows(machine_isa(), isa)) continue;
    for (const std::int64_t block : {1, 8}) {
      for (const std::int64_t stride : {1, 2}) {
        const Graph graph = sparse_network(block, stride, random);
        const std::vector<Tensor> inputs = {random_floats({2, 40, 20, 20}, random)};
        SessionOptions options;
        options.isa = isa_name(isa);
        Session session(graph, options);
        const auto found = to_floats(session.run(inputs).at(0));
        const auto wanted = to_floats(reference::run_tensors(graph, inputs).at(0));
        for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 2e-4) << i;
        // Other threads cut the pictures elsewhere.
        options.threads = 3;
        Session threaded(graph, options);
        ASSERT_EQ(to_floats(threaded.run(inputs).at(0)), found) << isa_name(isa) << ", block " << block;
        int sparse = 0;
        for (const StepInfo& step : session.steps()) sparse += step.kernel.find("spmm_f32") != std::string::npos;
        EXPECT_GE(sparse, 2) << isa_name(isa) << ", block " << block << ", stride " << stride;
      }
    }
  }
}

}  // namespace
}  // namespace adze
