#include <gtest/gtest.h>

#include "tests/graph/infer_one.h"

namespace adze {
namespace {

const Dim batch = Dim::named("batch");

TEST(InferElementwise, BroadcastsSymbolsAndNumbers) {
  Inferred g;
  EXPECT_EQ(g.type(g.add(OpKind::Add, {g.input({batch, 1, 4}), g.input({3, 1})})), "f32[batch, 3, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::Max, {g.input({2, 1}), g.input({3}), g.input({})})), "f32[2, 3]");
}

TEST(InferElementwise, LeavesUnknownWhatItMust) {
  Inferred g;
  EXPECT_EQ(g.type(g.add(OpKind::Add, {g.unknown(), g.input({3})})), type_text(ValueType::tensor(DType::F32)));
  EXPECT_EQ(g.graph.value(g.add(OpKind::Exp, {g.unknown()})).type.shape, std::nullopt);
  EXPECT_EQ(g.type(g.add(OpKind::Less, {g.unknown(), g.unknown()})), type_text(ValueType::tensor(DType::Bool)));
}

TEST(InferElementwise, RefusesWhatCannotBe) {
  const auto refuse = [](auto build) {
    Inferred g;
    try {
      build(g);
      ADD_FAILURE() << "not refused";
    } catch (const ModelError& error) {
      EXPECT_EQ(error.place().node, "node");
    }
  };
  refuse([](Inferred& g) { g.add(OpKind::Add, {g.input({2}), g.input({3})}); });
  refuse([](Inferred& g) { g.add(OpKind::Add, {g.input({2}), g.input({2}, DType::F64)}); });
  refuse([](Inferred& g) { g.add(OpKind::And, {g.input({2}), g.input({2})}); });
  refuse([](Inferred& g) { g.add(OpKind::BitwiseAnd, {g.input({2}), g.input({2})}); });
  refuse([](Inferred& g) { g.add(OpKind::Cast, {g.input({2})}, {{"to", std::int64_t{99}}}); });
  refuse([](Inferred& g) { g.add(OpKind::Gelu, {g.input({2})}, {{"approximate", std::string("x")}}); });
  refuse([](Inferred& g) { g.add(OpKind::Mod, {g.input({2}), g.input({2})}); });
  refuse([](Inferred& g) { g.add(OpKind::Where, {g.input({2}), g.input({2}), g.input({2})}); });
}

TEST(InferElementwise, TakesTheTypeThatTheOperatorGives) {
  Inferred g;
  EXPECT_EQ(g.type(g.add(OpKind::Cast, {g.input({batch})}, {{"to", std::int64_t{10}}})), "f16[batch]");
  EXPECT_EQ(g.type(g.add(OpKind::CastLike, {g.input({2}), g.input({}, DType::S8)})), "s8[2]");
  EXPECT_EQ(g.type(g.add(OpKind::Pow, {g.input({2}, DType::S32), g.input({})})), "s32[2]");
  EXPECT_EQ(g.type(g.add(OpKind::IsNaN, {g.input({batch, 2})})), "bool[batch, 2]");
  EXPECT_EQ(g.type(g.add(OpKind::Where, {g.input({batch, 1}, DType::Bool), g.input({3}), g.input({})})),
            "f32[batch, 3]");
}

TEST(InferElementwise, ComputesWithDimensions) {
  Inferred g;
  const ValueId shape = g.add(OpKind::Shape, {g.input({batch, 6, Dim::named("time")})});
  const ValueId twice = g.add(OpKind::Mul, {shape, g.scalar(2)});
  EXPECT_EQ(g.dims(twice), "[2*batch, 12, 2*time]");
  EXPECT_EQ(g.dims(g.add(OpKind::Div, {twice, g.scalar(2)})), "[batch, 6, time]");
  EXPECT_EQ(g.dims(g.add(OpKind::Add, {shape, g.scalar(1)})), "[?, 7, ?]");
  EXPECT_EQ(g.dims(g.add(OpKind::Sub, {shape, shape})), "[0, 0, 0]");
  EXPECT_EQ(g.dims(g.add(OpKind::Cast, {shape}, {{"to", std::int64_t{6}}})), "[batch, 6, time]");
  EXPECT_EQ(g.dims(g.add(OpKind::Cast, {shape}, {{"to", std::int64_t{1}}})), "none");
}

TEST(InferElementwise, FollowsTheExportOfExpand) {
  // Where(Equal(wanted, -1), ones, shape): -1 stands for "as it is".
  Inferred g;
  const ValueId shape = g.add(OpKind::Shape, {g.input({batch, 1})});
  const ValueId is_open = g.add(OpKind::Equal, {shape, g.ints({-1, -1})});
  EXPECT_EQ(g.dims(g.add(OpKind::Where, {is_open, g.ints({1, 1}), shape})), "[batch, 1]");
}

}  // namespace
}  // namespace adze
