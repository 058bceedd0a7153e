#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

Node node_of(OpKind kind) {
  Node node;
  node.kind = kind;
  return node;
}

/// Of each width, so that every way to copy is taken.
std::vector<Tensor> data_of(const Shape& shape, Random& random) {
  Tensor wide(DType::F64, shape);
  for (double& value : wide.mutable_data<double>()) value = random.normal();
  return {random_bytes(DType::U8, shape, random), random_bytes(DType::S8, shape, random), random_floats(shape, random),
          wide};
}

TEST(Slice, EqualsTheReference) {
  Random random(71);
  struct Case {
    std::vector<std::int64_t> starts, ends, axes, steps;
  };
  const Case cases[] = {{{1}, {3}, {0}, {1}},
                        {{-3, 1}, {100, -1}, {2, 3}, {1, 2}},
                        {{100, -1}, {-100, 0}, {-1, 1}, {-1, -2}},
                        {{0, 2, 1}, {2, 5, 6}, {0, 1, 2}, {1, 1, 1}}};
  for (const Case& one : cases) {
    for (const Tensor& x : data_of({4, 5, 6, 7}, random)) {
      expect_same_bytes(node_of(OpKind::Slice), {{x, false},
                                                 {Tensor::ints(one.starts), true},
                                                 {Tensor::ints(one.ends), true},
                                                 {Tensor::ints(one.axes), true},
                                                 {Tensor::ints(one.steps), true}});
    }
  }
}

TEST(Pad, EqualsTheReferenceInEveryMode) {
  Random random(72);
  for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
    for (const Tensor& x : data_of({2, 3, 5, 6}, random)) {
      Node pad = node_of(OpKind::Pad);
      pad.set("mode", std::string(mode));
      Tensor fill(x.dtype(), {});
      fill.set_int(0, 3);
      expect_same_bytes(pad, {{x, false}, {Tensor::ints({0, 0, 2, 1, 1, 0, 3, 4}), true}, {fill, true}});
      expect_same_bytes(pad,
                        {{x, false}, {Tensor::ints({1, 2, 1, 0}), true}, {fill, true}, {Tensor::ints({-1, 1}), true}});
      expect_same_bytes(pad, {{x, false}, {Tensor::ints({0, 0, 0, 2, 0, 0, 0, 0}), true}});
    }
  }
  Node crop = node_of(OpKind::Pad);
  expect_same_bytes(crop,
                    {{random_bytes(DType::U8, {3, 8, 9}, random), false}, {Tensor::ints({0, -2, 3, 0, 1, -4}), true}});
}

TEST(Gather, EqualsTheReferenceForConstantIndices) {
  Random random(73);
  for (const std::int64_t axis : {0, 1, -1}) {
    for (const Tensor& x : data_of({4, 5, 6}, random)) {
      Node gather = node_of(OpKind::Gather);
      gather.set("axis", axis);
      expect_same_bytes(gather, {{x, false}, {Tensor::ints({3, 0, -1, 2, 2}), true}});
      expect_same_bytes(gather, {{x, false}, {Tensor::scalar<std::int64_t>(-2), true}});
    }
  }
}

TEST(Gather, EqualsTheReferenceForIndicesOfTheRun) {
  Random random(76);
  for (const std::int64_t axis : {0, 1, 2}) {
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}}) {
      for (const DType dtype : {DType::S32, DType::S64}) {
        Tensor indices(dtype, shape);
        for (std::int64_t i = 0; i < indices.size(); ++i) indices.set_int(i, pick(random, -4, 3));
        for (const Tensor& x : data_of({4, 5, 6}, random)) {
          Node gather = node_of(OpKind::Gather);
          gather.set("axis", axis);
          expect_same_bytes(gather, {{x, false}, {indices, false}});
          expect_same_bytes(gather, {{x, true}, {indices, false}});
        }
      }
    }
  }
}

TEST(Gather, SaysWhichIndexIsOutOfRange) {
  Random random(77);
  Node gather = node_of(OpKind::Gather);
  const Tensor x = random_floats({4, 5}, random), indices = Tensor::ints({0, 1, 4});
  const Graph graph = single_node(gather, {{x, true}, {indices, false}});
  Session session(graph);
  try {
    session.run(std::vector<Tensor>{indices});
    FAIL() << "no error";
  } catch (const ModelError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("index 4 at position 2 is out of range for axis 0 of size 4"), std::string::npos) << text;
  }
}

TEST(Where, EqualsTheReferenceWithBroadcasting) {
  Random random(79);
  const Shape shapes[] = {{}, {7}, {5, 1}, {3, 1, 7}, {2, 3, 5, 7}};
  for (const Shape& condition : shapes) {
    for (const Shape& other : shapes) {
      Tensor choice(DType::Bool, condition);
      for (std::int64_t i = 0; i < choice.size(); ++i) choice.set_int(i, static_cast<std::int64_t>(random.below(2)));
      const std::vector<Tensor> whole = data_of({2, 3, 5, 7}, random), part = data_of(other, random);
      for (std::size_t i = 0; i < whole.size(); ++i) {
        expect_same_bytes(node_of(OpKind::Where), {{choice, false}, {whole[i], false}, {part[i], i % 2 == 0}});
        expect_same_bytes(node_of(OpKind::Where), {{choice, true}, {part[i], false}, {part[i], false}});
      }
    }
  }
}

/// With channels last between convolutions too: axes 1 and 2.
TEST(Resize, LinearOfBytesEqualsTheReference) {
  Random random(78);
  const std::vector<float> factors[] = {{1, 1, 2, 2}, {1, 1, 0.6f, 1.7f}, {1, 1, 1, 3.3f}, {1, 2.5f, 1.5f, 1}};
  for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}) {
    for (const DType dtype : {DType::S8, DType::U8}) {
      for (const std::vector<float>& factor : factors) {
        Graph graph;
        Node node = node_of(OpKind::Resize);
        node.set("mode", std::string("linear"));
        node.set("coordinate_transformation_mode", std::string(coordinates));
        node.set("antialias", static_cast<std::int64_t>(random.below(2)));
        const Tensor x = random_bytes(dtype, {2, 3, 5, pick(random, 4, 20)}, random);
        node.inputs = {graph.add_input("x", ValueType::tensor(dtype, symbolic(x.shape()))), ValueId::None,
                       graph.add_constant("scales", Tensor::from<float>({4}, factor))};
        node.outputs = {graph.add_value("y")};
        graph.add_node(node);
        graph.add_output(node.outputs[0]);
        infer_types(graph);
        const Tensor expected = reference::run_tensors(graph, std::vector<Tensor>{x}).at(0);
        for (const Isa isa : machine_isas()) {
          SessionOptions options;
          options.isa = isa_name(isa);
          options.threads = 2;
          Session session(graph, options);
          EXPECT_TRUE(identical(session.run(std::vector<Tensor>{x}).at(0), expected)) << isa_name(isa);
          EXPECT_NE(session.steps().back().kernel, "reference");
        }
      }
    }
  }
}

TEST(Resize, NearestEqualsTheReference) {
  Random random(74);
  for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}) {
    for (const char* rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
      Node resize = node_of(OpKind::Resize);
      resize.set("coordinate_transformation_mode", std::string(coordinates));
      resize.set("nearest_mode", std::string(rounding));
      for (const Tensor& x : data_of({2, 3, 5, 4}, random)) {
        for (const std::vector<float>& factors : {std::vector<float>{1, 1, 2, 2}, {1, 1, 0.6f, 1.7f}}) {
          Graph graph;
          Node node = resize;
          node.name = "resize";
          node.inputs = {graph.add_input("x", ValueType::tensor(x.dtype(), symbolic(x.shape()))), ValueId::None,
                         graph.add_constant("scales", Tensor::from<float>({4}, factors))};
          node.outputs = {graph.add_value("y")};
          graph.add_node(std::move(node));
          graph.add_output(graph.find_value("y"));
          infer_types(graph);
          const Tensor expected = reference::run_tensors(graph, {x}).at(0);
          Session session(graph);
          EXPECT_TRUE(identical(session.run(std::vector<Tensor>{x}).at(0), expected)) << coordinates << rounding;
          EXPECT_EQ(session.steps().at(0).kernel, "resize_nearest");
        }
      }
    }
  }
}

}  // namespace
}  // namespace adze
