#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze {
namespace {

struct Case {
  const char* mode;
  const char* coordinates;
  Shape shape;
  std::vector<float> scales;        ///< of all axes, or
  std::vector<std::int64_t> sizes;  ///< of the last two
  bool antialias = false;
};

Graph resize_graph(const Case& test) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(test.shape)));
  std::vector<ValueId> inputs{x, ValueId::None, ValueId::None, ValueId::None};
  std::vector<std::pair<std::string, Attribute>> attributes{
      {"antialias", std::int64_t{test.antialias}},
      {"coordinate_transformation_mode", std::string(test.coordinates)},
      {"mode", std::string(test.mode)}};
  if (!test.scales.empty()) {
    inputs[2] = graph.add_constant("scales", Tensor::from<float>({std::ssize(test.scales)}, test.scales));
    inputs.resize(3);
  } else {
    inputs[3] = graph.add_constant("sizes", Tensor::ints(test.sizes));
    attributes.emplace_back("axes", std::vector<std::int64_t>{2, 3});
  }
  std::sort(attributes.begin(), attributes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  graph.set_outputs({graph.add(OpKind::Resize, inputs, attributes, "resize")});
  infer_types(graph);
  return graph;
}

TEST(Resize, IsTheReferencesInEveryMode) {
  const Case cases[] = {
      {"linear", "half_pixel", {2, 3, 5, 7}, {1, 1, 2, 2}, {}},
      {"linear", "align_corners", {1, 4, 6, 5}, {}, {11, 13}},
      {"linear", "asymmetric", {1, 2, 9, 8}, {1, 1, 0.6F, 1.7F}, {}},
      {"linear", "pytorch_half_pixel", {1, 2, 3, 4}, {}, {1, 9}},
      {"linear", "half_pixel", {1, 2, 12, 9}, {}, {5, 4}, true},
      {"cubic", "half_pixel", {1, 3, 7, 6}, {1, 1, 1.5F, 2.5F}, {}},
      {"cubic", "align_corners", {2, 1, 5, 5}, {}, {9, 3}, true},
      {"nearest", "half_pixel", {1, 2, 5, 4}, {1, 1, 1.3F, 2.1F}, {}},
      {"linear", "half_pixel", {1, 1, 1, 1}, {}, {4, 3}},
      {"linear", "half_pixel", {2, 3, 4, 5}, {2, 1, 1, 0.5F}, {}},
  };
  Random random(3);
  for (const Case& test : cases) {
    const Graph graph = resize_graph(test);
    Tensor x(DType::F32, test.shape);
    for (float& value : x.mutable_data<float>()) value = static_cast<float>(random.normal());
    const Tensor expected = reference::run_tensors(graph, {x})[0];
    Tensor first;
    for (const int threads : {1, 2}) {
      SessionOptions options;
      options.threads = threads;
      options.input_shapes = {{"x", test.shape}};
      Session session(graph, options);
      const Tensor found = session.run(std::span(&x, 1))[0];
      ASSERT_EQ(found.shape(), expected.shape()) << test.mode << " " << test.coordinates;
      for (std::int64_t i = 0; i < found.size(); ++i) {
        ASSERT_NEAR(found.get_double(i), expected.get_double(i), 2e-6 * (1 + std::abs(expected.get_double(i))))
            << test.mode << " " << test.coordinates << " at " << i;
      }
      EXPECT_NE(session.steps().back().kernel, "reference") << test.mode << " " << test.coordinates;
      if (threads == 1) first = found;
      EXPECT_TRUE(identical(first, found));
    }
  }
}

}  // namespace
}  // namespace adze
