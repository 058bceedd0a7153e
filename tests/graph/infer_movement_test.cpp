#include <gtest/gtest.h>

#include "tests/graph/infer_one.h"

namespace adze {
namespace {

using Ints = std::vector<std::int64_t>;
const Dim batch = Dim::named("batch"), time = Dim::named("time");
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

template <typename F>
void expect_refused(F build) {
  Inferred g;
  try {
    build(g);
    ADD_FAILURE() << "not refused";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node.substr(0, 4), "node") << error.what();
  }
}

TEST(InferReshape, CopiesComputesAndCancels) {
  const auto reshape = [](SymbolicShape from, const Ints& to) {
    Inferred g;
    const ValueId x = g.input(std::move(from));
    return g.type(g.add(OpKind::Reshape, {x, g.ints(to)}));
  };
  EXPECT_EQ(reshape({2, 3, 4}, {0, -1}), "f32[2, 12]");
  EXPECT_EQ(reshape({batch, 3, 4}, {0, -1}), "f32[batch, 12]");
  EXPECT_EQ(reshape({batch, 3, 4}, {-1, 12}), "f32[batch, 12]");
  EXPECT_EQ(reshape({batch, 3, 4}, {-1, 6}), "f32[2*batch, 6]");
  EXPECT_EQ(reshape({batch, 3, 4}, {-1, 7}), "f32[?, 7]");  // batch may hold the 7
}

TEST(InferReshape, KnowsProductsOfSymbols) {
  Inferred g;
  const ValueId x = g.input({batch, time, 8});
  EXPECT_EQ(g.type(g.add(OpKind::Reshape, {x, g.ints({-1, 8})})), "f32[batch*time, 8]");
  EXPECT_EQ(g.type(g.add(OpKind::Reshape, {x, g.ints({0, 0, 2, -1})})), "f32[batch, time, 2, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::Reshape, {g.unknown(), g.ints({2, -1})})),
            type_text(ValueType::tensor(DType::Undefined, SymbolicShape{2, Dim()})));
}

TEST(InferReshape, FollowsAttentionHeads) {
  // x [batch, time, 64] → Reshape(Concat(Gather(Shape, 0), Gather(Shape, 1), 4, 16)) → [batch, time, 4, 16] and back
  Inferred g;
  const ValueId x = g.input({batch, time, 64});
  const ValueId shape = g.add(OpKind::Shape, {x});
  const auto at = [&](std::int64_t i) {
    return g.add(OpKind::Unsqueeze, {g.add(OpKind::Gather, {shape, g.scalar(i)}), g.ints({0})});
  };
  const ValueId heads = g.add(OpKind::Concat, {at(0), at(1), g.ints({4}), g.ints({16})}, {{"axis", std::int64_t{0}}});
  EXPECT_EQ(g.dims(heads), "[batch, time, 4, 16]");
  const ValueId split = g.add(OpKind::Reshape, {x, heads});
  EXPECT_EQ(g.type(split), "f32[batch, time, 4, 16]");
  const ValueId turned = g.add(OpKind::Transpose, {split}, {{"perm", Ints{0, 2, 1, 3}}});
  EXPECT_EQ(g.type(turned), "f32[batch, 4, time, 16]");
  const ValueId merged = g.add(OpKind::Concat, {at(0), at(1), g.ints({-1})}, {{"axis", std::int64_t{0}}});
  EXPECT_EQ(g.type(g.add(OpKind::Reshape, {split, merged})), "f32[batch, time, 64]");
}

TEST(InferReshape, RefusesSizesThatDiffer) {
  expect_refused([](Inferred& g) { g.add(OpKind::Reshape, {g.input({2, 3}), g.ints({4, -1})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Reshape, {g.input({2, 3}), g.ints({5})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Reshape, {g.input({2, 3}), g.ints({-1, -1})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Reshape, {g.input({6}), g.ints({1, 0})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Reshape, {g.input({6}), g.ints({-2})}); });
}

TEST(InferShapes, ReadsAndEditsDimensionLists) {
  Inferred g;
  const ValueId shape = g.add(OpKind::Shape, {g.input({batch, 3, 8, 8})});
  EXPECT_EQ(g.type(shape), "s64[4]");
  EXPECT_EQ(g.dims(g.add(OpKind::Shape, {g.input({batch, 3})}, {{"start", std::int64_t{1}}})), "[3]");
  EXPECT_EQ(g.dims(g.add(OpKind::Slice, {shape, g.ints({0}), g.ints({2})})), "[batch, 3]");
  EXPECT_EQ(g.dims(g.add(OpKind::Slice, {shape, g.ints({-1}), g.ints({-highest}), g.ints({0}), g.ints({-1})})),
            "[8, 8, 3, batch]");
  EXPECT_EQ(g.dims(g.add(OpKind::Gather, {shape, g.ints({-1, 0})})), "[8, batch]");
  EXPECT_EQ(g.dims(g.add(OpKind::Size, {g.input({batch, 3, 2})})), "[6*batch]");
  EXPECT_EQ(g.dims(g.add(OpKind::Identity, {shape})), "[batch, 3, 8, 8]");
  EXPECT_EQ(g.dims(g.add(OpKind::ReduceProd, {shape}, {{"keepdims", std::int64_t{0}}})), "[192*batch]");
  const ValueId one = g.add(OpKind::Slice, {shape, g.ints({0}), g.ints({1})});
  EXPECT_EQ(g.dims(g.add(OpKind::Squeeze, {one, g.ints({0})})), "[batch]");
  expect_refused([](Inferred& h) { h.add(OpKind::Gather, {h.add(OpKind::Shape, {h.input({2})}), h.scalar(4)}); });
}

TEST(InferShapes, MakesTensorsFromDimensionLists) {
  Inferred g;
  const ValueId shape = g.add(OpKind::Shape, {g.input({batch, 3})});
  EXPECT_EQ(g.type(g.add(OpKind::ConstantOfShape, {shape})), "f32[batch, 3]");
  EXPECT_EQ(g.type(g.add(OpKind::Expand, {g.input({1, 3}), shape})), "f32[batch, 3]");
  EXPECT_EQ(g.type(g.add(OpKind::Tile, {g.input({2, batch}), g.ints({3, 2})})), "f32[6, 2*batch]");
  const ValueId length = g.add(OpKind::Gather, {shape, g.scalar(0)});
  EXPECT_EQ(g.type(g.add(OpKind::Range, {g.scalar(0), length, g.scalar(1)})), "s64[batch]");
  EXPECT_EQ(g.type(g.add(OpKind::Range, {g.scalar(7), g.scalar(1), g.scalar(-2)})), "s64[3]");
  EXPECT_EQ(g.dims(g.add(OpKind::ConstantOfShape, {g.ints({3})}, {{"value", Tensor::ints({1})}})), "[1, 1, 1]");
}

TEST(InferSlice, KeepsSymbolsThatStayWhole) {
  Inferred g;
  const ValueId x = g.input({batch, 10});
  EXPECT_EQ(g.type(g.add(OpKind::Slice, {x, g.ints({0}), g.ints({highest}), g.ints({0})})), "f32[batch, 10]");
  EXPECT_EQ(g.type(g.add(OpKind::Slice, {x, g.ints({1}), g.ints({highest}), g.ints({0})})), "f32[?, 10]");
  EXPECT_EQ(g.type(g.add(OpKind::Slice, {x, g.ints({-1}), g.ints({-11}), g.ints({1}), g.ints({-3})})), "f32[batch, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::Slice, {x, g.ints({4}), g.ints({2}), g.ints({-1})})), "f32[batch, 0]");
  expect_refused([](Inferred& h) {
    h.add(OpKind::Slice, {h.input({2}), h.ints({0}), h.ints({1}), h.ints({0}), h.ints({0})});
  });
  expect_refused([](Inferred& h) { h.add(OpKind::Slice, {h.input({2}), h.ints({0}), h.ints({1}), h.ints({1})}); });
}

TEST(InferSplit, SharesAnAxisOut) {
  Inferred g;
  const ValueId parts =
      g.add(OpKind::Split, {g.input({batch, 7})}, {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{3}}}, 3);
  EXPECT_EQ(g.type(parts, 0), "f32[batch, 3]");
  EXPECT_EQ(g.type(parts, 2), "f32[batch, 1]");
  const ValueId given = g.add(OpKind::Split, {g.input({4, batch}), g.ints({1, 3})}, {}, 2);
  EXPECT_EQ(g.type(given, 1), "f32[3, batch]");
  expect_refused([](Inferred& h) { h.add(OpKind::Split, {h.input({4}), h.ints({1, 1})}, {}, 2); });
  expect_refused([](Inferred& h) { h.add(OpKind::Split, {h.input({4})}, {{"num_outputs", std::int64_t{3}}}, 2); });
}

TEST(InferPad, TakesAxes) {
  Inferred g;
  EXPECT_EQ(g.type(g.add(OpKind::Pad, {g.input({batch, 3}), g.ints({0, 1, 0, 2})})), "f32[batch, 6]");
  EXPECT_EQ(g.type(g.add(OpKind::Pad, {g.input({batch, 3}), g.ints({-1, 0}), ValueId::None, g.ints({-1})})),
            "f32[batch, 2]");
  EXPECT_EQ(g.type(g.add(OpKind::Pad, {g.input({batch, 3}), g.ints({1, 0}), ValueId::None, g.ints({0})})), "f32[?, 3]");
  expect_refused([](Inferred& h) { h.add(OpKind::Pad, {h.input({2}), h.ints({1})}); });
  expect_refused([](Inferred& h) { h.add(OpKind::Pad, {h.input({2}), h.ints({-3, 0})}); });
  expect_refused([](Inferred& h) { h.add(OpKind::Pad, {h.input({2}), h.ints({1, 1})}, {{"mode", std::string("x")}}); });
}

TEST(InferMovement, KnowsTheShapesOfTheOthers) {
  Inferred g;
  const ValueId x = g.input({batch, 3, 4}), picture = g.input({batch, 8, 2, 2});
  EXPECT_EQ(g.type(g.add(OpKind::Concat, {x, g.input({Dim(), 5, 4})}, {{"axis", std::int64_t{1}}})),
            "f32[batch, 8, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::Flatten, {x})), "f32[batch, 12]");
  EXPECT_EQ(g.type(g.add(OpKind::Flatten, {x}, {{"axis", std::int64_t{0}}})), "f32[1, 12*batch]");
  EXPECT_EQ(g.type(g.add(OpKind::Transpose, {x})), "f32[4, 3, batch]");
  EXPECT_EQ(g.type(g.add(OpKind::DepthToSpace, {picture}, {{"blocksize", std::int64_t{2}}})), "f32[batch, 2, 4, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::SpaceToDepth, {picture}, {{"blocksize", std::int64_t{2}}})), "f32[batch, 32, 1, 1]");
  EXPECT_EQ(g.type(g.add(OpKind::Gather, {x, g.input({2, time}, DType::S64)}, {{"axis", std::int64_t{1}}})),
            "f32[batch, 2, time, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::GatherND, {x, g.input({5, 2}, DType::S64)})), "f32[5, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::NonZero, {x})), "s64[3, ?]");
  EXPECT_EQ(g.type(g.add(OpKind::OneHot, {g.input({batch}, DType::S64), g.scalar(10), g.input({2})})),
            "f32[batch, 10]");
  EXPECT_EQ(g.type(g.add(OpKind::Squeeze, {g.input({1, batch}), g.ints({0})})), "f32[batch]");
  EXPECT_EQ(g.type(g.add(OpKind::CenterCropPad, {x, g.ints({7})}, {{"axes", Ints{1}}})), "f32[batch, 7, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::Unique, {x}, {}, 4), 2), "s64[12*batch]");
}

TEST(InferMovement, RefusesAttributesOutOfTheirDomain) {
  expect_refused([](Inferred& g) { g.add(OpKind::Transpose, {g.input({2, 3})}, {{"perm", Ints{0, 0}}}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Transpose, {g.input({2, 3})}, {{"perm", Ints{0}}}); });
  expect_refused([](Inferred& g) {
    g.add(OpKind::DepthToSpace, {g.input({1, 4, 2, 2})}, {{"blocksize", std::int64_t{0}}});
  });
  expect_refused([](Inferred& g) { g.add(OpKind::Concat, {g.input({2}), g.input({2})}, {{"axis", std::int64_t{1}}}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Gather, {g.input({2}), g.input({2})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Flatten, {g.input({2})}, {{"axis", std::int64_t{2}}}); });
  expect_refused([](Inferred& g) { g.add(OpKind::ConstantOfShape, {g.ints({-1})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Squeeze, {g.input({2}), g.ints({0})}); });
  expect_refused([](Inferred& g) { g.add(OpKind::Unsqueeze, {g.input({2}), g.ints({0, 0})}); });
  expect_refused([](Inferred& g) {
    g.add(OpKind::ScatterND, {g.input({2}), g.input({1, 2}, DType::S64), g.input({1})});
  });
}

TEST(InferMovement, StaysSilentOnUnknownInputs) {
  constexpr OpKind kinds[] = {
#define ADZE_OP(kind, ...) OpKind::kind,
#include "adze/graph/ops/movement.def"
#include "adze/graph/ops/reduction.def"
#undef ADZE_OP
  };
  for (const OpKind kind : kinds) {
    Inferred g;
    std::vector<ValueId> inputs;
    for (int i = 0; i < std::min(op_info(kind).max_inputs, 5); ++i) inputs.push_back(g.unknown());
    std::vector<std::pair<std::string, Attribute>> attributes;
    if (find_attribute_schema(kind, "blocksize") != nullptr) attributes.emplace_back("blocksize", std::int64_t{2});
    if (kind == OpKind::Einsum) attributes.emplace_back("equation", std::string("a,b,c,d,e"));
    if (kind == OpKind::Concat) attributes.emplace_back("axis", std::int64_t{0});
    EXPECT_NO_THROW(g.add(kind, inputs, attributes, op_info(kind).min_outputs)) << op_name(kind);
  }
}

}  // namespace
}  // namespace adze
