#include <gtest/gtest.h>

#include "tests/graph/infer_one.h"

namespace adze {
namespace {

using Ints = std::vector<std::int64_t>;
const Dim batch = Dim::named("batch");

template <typename F>
void expect_refused(F build) {
  Inferred g;
  try {
    build(g);
    ADD_FAILURE() << "not refused";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node, "node") << error.what();
  }
}

TEST(InferReduction, ReducesAxesThatComeAsInput) {
  Inferred g;
  const ValueId x = g.input({batch, 3, 4});
  EXPECT_EQ(g.type(g.add(OpKind::ReduceMean, {x, g.ints({-1})})), "f32[batch, 3, 1]");
  EXPECT_EQ(g.type(g.add(OpKind::ReduceMean, {x, g.ints({1, 2})}, {{"keepdims", std::int64_t{0}}})), "f32[batch]");
  EXPECT_EQ(g.type(g.add(OpKind::ReduceMean, {x})), "f32[1, 1, 1]");
  EXPECT_EQ(g.type(g.add(OpKind::ReduceMean, {x, g.ints({})}, {{"noop_with_empty_axes", std::int64_t{1}}})),
            "f32[batch, 3, 4]");
  EXPECT_EQ(g.type(g.add(OpKind::ReduceMean, {x, g.input({1}, DType::S64)})), "f32[?, ?, ?]");
  expect_refused([](Inferred& h) { h.add(OpKind::ReduceMax, {h.input({2}), h.ints({1})}); });
  expect_refused([](Inferred& h) { h.add(OpKind::ReduceMax, {h.input({2}), h.ints({0, -1})}); });
}

TEST(InferReduction, KnowsTheShapesOfTheOthers) {
  Inferred g;
  const ValueId x = g.input({batch, 3});
  EXPECT_EQ(g.type(g.add(OpKind::ArgMax, {x}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}})),
            "s64[batch]");
  const ValueId top = g.add(OpKind::TopK, {x, g.ints({2})}, {}, 2);
  EXPECT_EQ(g.type(top, 0), "f32[batch, 2]");
  EXPECT_EQ(g.type(top, 1), "s64[batch, 2]");
  EXPECT_EQ(g.type(g.add(OpKind::Det, {g.input({batch, 2, 2})})), "f32[batch]");
  EXPECT_EQ(g.type(g.add(OpKind::Softmax, {x})), "f32[batch, 3]");
  expect_refused([](Inferred& h) { h.add(OpKind::TopK, {h.input({3}), h.ints({4})}, {}, 2); });
  expect_refused([](Inferred& h) { h.add(OpKind::Det, {h.input({2, 3})}); });
  expect_refused([](Inferred& h) { h.add(OpKind::Softmax, {h.input({2})}, {{"axis", std::int64_t{1}}}); });
}

TEST(InferEinsum, KnowsLabelsAndEllipses) {
  Inferred g;
  const auto einsum = [&](const char* equation, std::vector<ValueId> inputs) {
    return g.type(g.add(OpKind::Einsum, std::move(inputs), {{"equation", std::string(equation)}}));
  };
  EXPECT_EQ(einsum("bij,bjk->bik", {g.input({batch, 2, 3}), g.input({batch, 3, 4})}), "f32[batch, 2, 4]");
  EXPECT_EQ(einsum("...ij->...ji", {g.input({batch, 5, 2, 3})}), "f32[batch, 5, 3, 2]");
  EXPECT_EQ(einsum("ii", {g.input({3, 3})}), "f32[]");
  expect_refused([](Inferred& h) {
    h.add(OpKind::Einsum, {h.input({2, 3}), h.input({2, 4})}, {{"equation", std::string("ij,jk->ik")}});
  });
}

}  // namespace
}  // namespace adze
