#include <gtest/gtest.h>

#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Datum;
using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
}

Tensor counting(Shape shape) {
  Tensor tensor(DType::S64, std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, i);
  return tensor;
}

Texts texts(const Tensor& tensor) {
  const auto data = tensor.data<std::string>();
  return {data.begin(), data.end()};
}

void expect_refused(OpKind kind, const std::vector<Datum>& inputs, const reference::Attributes& attributes = {},
                    int num_outputs = 1) {
  try {
    run_one(kind, inputs, attributes, num_outputs);
    ADD_FAILURE() << op_name(kind) << " was not refused";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node, "node") << error.what();
  }
}

Ints ints(OpKind kind, const std::vector<Datum>& inputs, const reference::Attributes& attributes = {}) {
  return to_ints(run_one(kind, inputs, attributes)[0]);
}

TEST(Reshape, CopiesZerosAndComputesTheRest) {
  EXPECT_EQ(run_one(OpKind::Reshape, {counting({2, 3, 4}), Tensor::ints({0, -1, 2})})[0].shape(), (Shape{2, 6, 2}));
  EXPECT_EQ(
      run_one(OpKind::Reshape, {counting({0, 3}), Tensor::ints({3, 0})}, {{"allowzero", std::int64_t{1}}})[0].shape(),
      (Shape{3, 0}));
  EXPECT_EQ(run_one(OpKind::Reshape, {counting({1}), Tensor::ints({})})[0].shape(), Shape{});
  expect_refused(OpKind::Reshape, {counting({2, 3}), Tensor::ints({-1, -1})});
  expect_refused(OpKind::Reshape, {counting({2, 3}), Tensor::ints({4, -1})});
  expect_refused(OpKind::Reshape, {counting({2, 3}), Tensor::ints({1, 6, 0})});
  expect_refused(OpKind::Reshape, {counting({2, 3}), Tensor::ints({std::int64_t{1} << 62, 4})});
}

TEST(Transpose, MovesElementsOfEverySize) {
  for (const DType dtype : {DType::U8, DType::F16, DType::F32, DType::F64, DType::C128, DType::S4, DType::U4}) {
    Tensor x(dtype, {2, 3});
    if (dtype != DType::C128) {
      for (std::int64_t i = 0; i < 6; ++i) x.set_int(i, i);
    }
    const Tensor y = run_one(OpKind::Transpose, {x})[0];
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_EQ(y.shape(), (Shape{3, 2}));
    if (dtype == DType::C128) continue;
    EXPECT_EQ(to_ints(converted(y, DType::S64)), (Ints{0, 3, 1, 4, 2, 5}));
  }
  EXPECT_EQ(texts(run_one(OpKind::Transpose, {Tensor::from<std::string>({2, 2}, {"a", "b", "c", "d"})})[0]),
            (Texts{"a", "c", "b", "d"}));
  expect_refused(OpKind::Transpose, {counting({2, 3})}, {{"perm", Ints{0, 0}}});
  expect_refused(OpKind::Transpose, {counting({2, 3})}, {{"perm", Ints{0}}});
}

TEST(Concat, JoinsAlongAnyAxis) {
  EXPECT_EQ(ints(OpKind::Concat, {counting({2, 1}), counting({2, 2})}, {{"axis", std::int64_t{-1}}}),
            (Ints{0, 0, 1, 1, 2, 3}));
  EXPECT_EQ(run_one(OpKind::Concat, {counting({0, 2}), counting({1, 2})}, {{"axis", std::int64_t{0}}})[0].shape(),
            (Shape{1, 2}));
  expect_refused(OpKind::Concat, {counting({2, 1}), counting({3, 2})}, {{"axis", std::int64_t{1}}});
  expect_refused(OpKind::Concat, {counting({2}), list<float>({1})}, {{"axis", std::int64_t{0}}});
}

TEST(Slice, ClampsAndStepsBackwards) {
  const auto slice = [](std::int64_t start, std::int64_t end, std::int64_t step) {
    return ints(OpKind::Slice,
                {counting({5}), Tensor::ints({start}), Tensor::ints({end}), Tensor::ints({0}), Tensor::ints({step})});
  };
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                     highest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(slice(1, highest, 2), (Ints{1, 3}));
  EXPECT_EQ(slice(-1, lowest, -2), (Ints{4, 2, 0}));
  EXPECT_EQ(slice(highest, -3, -1), (Ints{4, 3}));
  EXPECT_EQ(slice(3, 1, 1), Ints{});
  EXPECT_EQ(slice(0, 5, highest), (Ints{0}));
  expect_refused(OpKind::Slice,
                 {counting({5}), Tensor::ints({0}), Tensor::ints({1}), Tensor::ints({0}), Tensor::ints({0})});
  expect_refused(OpKind::Slice, {counting({5}), Tensor::ints({0}), Tensor::ints({1}), Tensor::ints({1})});
  expect_refused(OpKind::Slice, {counting({5, 5}), Tensor::ints({0, 0}), Tensor::ints({1, 1}), Tensor::ints({0, -2})});
}

TEST(Split, TakesLengthsOrACountOfOutputs) {
  auto parts = run_one(OpKind::Split, {counting({7})}, {{"num_outputs", std::int64_t{3}}}, 3);
  EXPECT_EQ(to_ints(parts[0]), (Ints{0, 1, 2}));
  EXPECT_EQ(to_ints(parts[2]), (Ints{6}));
  parts = run_one(OpKind::Split, {counting({2, 6})}, {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}}, 2);
  EXPECT_EQ(to_ints(parts[1]), (Ints{3, 4, 5, 9, 10, 11}));
  parts = run_one(OpKind::Split, {counting({3}), Tensor::ints({0, 3})}, {}, 2);
  EXPECT_TRUE(parts[0].empty());
  parts = run_one(OpKind::Split, {counting({2})}, {{"num_outputs", std::int64_t{3}}}, 3);
  EXPECT_TRUE(parts[2].empty());
  expect_refused(OpKind::Split, {counting({3}), Tensor::ints({1, 1})}, {}, 2);
  expect_refused(OpKind::Split, {counting({4})}, {{"num_outputs", std::int64_t{3}}}, 2);
}

TEST(Pad, HasFourModes) {
  const Tensor x = counting({3});
  const auto pad = [&](const char* mode, Ints pads) {
    return ints(OpKind::Pad, {x, Tensor::ints(pads)}, {{"mode", std::string(mode)}});
  };
  EXPECT_EQ(pad("constant", {1, 2}), (Ints{0, 0, 1, 2, 0, 0}));
  EXPECT_EQ(pad("edge", {2, 1}), (Ints{0, 0, 0, 1, 2, 2}));
  EXPECT_EQ(pad("reflect", {2, 5}), (Ints{2, 1, 0, 1, 2, 1, 0, 1, 2, 1}));
  EXPECT_EQ(pad("wrap", {2, 4}), (Ints{1, 2, 0, 1, 2, 0, 1, 2, 0}));
  EXPECT_EQ(pad("constant", {-1, 1}), (Ints{1, 2, 0}));
  EXPECT_EQ(pad("edge", {-1, 1}), (Ints{1, 2, 2}));
  expect_refused(OpKind::Pad, {x, Tensor::ints({1})});
  expect_refused(OpKind::Pad, {x, Tensor::ints({-2, -2})});
  expect_refused(OpKind::Pad, {x, Tensor::ints({1, 1})}, {{"mode", std::string("mirror")}});
  expect_refused(OpKind::Pad, {counting({0}), Tensor::ints({1, 1})}, {{"mode", std::string("edge")}});
  expect_refused(OpKind::Pad, {x, Tensor::ints({std::int64_t{1} << 50, 1})});  // LimitError
}

TEST(Pad, TakesAxesAndAConstant) {
  const Tensor x = counting({1, 2});
  EXPECT_EQ(ints(OpKind::Pad, {x, Tensor::ints({1, 0}), Tensor::scalar<std::int64_t>(9), Tensor::ints({1})}),
            (Ints{9, 0, 1}));
  EXPECT_EQ(ints(OpKind::Pad, {x, Tensor::ints({0, 1}), Datum(), Tensor::ints({-2})}), (Ints{0, 1, 0, 0}));
  EXPECT_EQ(texts(run_one(OpKind::Pad,
                          {list<std::string>({"a"}), Tensor::ints({1, 0}), Tensor::scalar<std::string>("z")})[0]),
            (Texts{"z", "a"}));
  expect_refused(OpKind::Pad, {x, Tensor::ints({1, 0}), Tensor::scalar<float>(9), Tensor::ints({1})});
  expect_refused(OpKind::Pad, {x, Tensor::ints({1, 0, 1, 0}), Datum(), Tensor::ints({1, -1})});
}

TEST(CenterCropPad, CutsAndPadsAroundTheMiddle) {
  EXPECT_EQ(ints(OpKind::CenterCropPad, {counting({5}), Tensor::ints({2})}), (Ints{1, 2}));
  EXPECT_EQ(ints(OpKind::CenterCropPad, {counting({2}), Tensor::ints({5})}), (Ints{0, 0, 1, 0, 0}));
  EXPECT_EQ(ints(OpKind::CenterCropPad, {counting({3, 4}), Tensor::ints({1, 2})}), (Ints{5, 6}));
  EXPECT_EQ(ints(OpKind::CenterCropPad, {counting({2, 3}), Tensor::ints({1})}, {{"axes", Ints{-1}}}), (Ints{1, 4}));
  expect_refused(OpKind::CenterCropPad, {counting({3}), Tensor::ints({1, 1})});
  expect_refused(OpKind::CenterCropPad, {counting({3}), Tensor::ints({-1})});
}

TEST(Expand, RepeatsBothWays) {
  EXPECT_EQ(ints(OpKind::Expand, {counting({2, 1}), Tensor::ints({1, 2})}), (Ints{0, 0, 1, 1}));
  expect_refused(OpKind::Expand, {counting({3}), Tensor::ints({2})});
  expect_refused(OpKind::Expand, {counting({1}), Tensor::ints({std::int64_t{1} << 60})});
}

TEST(Tile, RepeatsWholeTensors) {
  EXPECT_EQ(ints(OpKind::Tile, {counting({1, 2}), Tensor::ints({2, 2})}), (Ints{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_TRUE(run_one(OpKind::Tile, {counting({2}), Tensor::ints({0})})[0].empty());
  expect_refused(OpKind::Tile, {counting({2}), Tensor::ints({-1})});
  expect_refused(OpKind::Tile, {counting({2}), Tensor::ints({std::int64_t{1} << 63 >> 1})});
}

TEST(DepthToSpace, IsUndoneBySpaceToDepth) {
  const Tensor x = counting({1, 8, 2, 3});
  const Tensor wide = run_one(OpKind::DepthToSpace, {x}, {{"blocksize", std::int64_t{2}}})[0];
  EXPECT_EQ(wide.shape(), (Shape{1, 2, 4, 6}));
  EXPECT_TRUE(identical(run_one(OpKind::SpaceToDepth, {wide}, {{"blocksize", std::int64_t{2}}})[0], x));
  expect_refused(OpKind::DepthToSpace, {x}, {{"blocksize", std::int64_t{0}}});
  expect_refused(OpKind::SpaceToDepth, {x}, {{"blocksize", std::int64_t{2}}});
}

TEST(Gather, ChecksItsIndices) {
  EXPECT_EQ(ints(OpKind::Gather, {counting({3, 2}), Tensor::ints({-1, 0})}), (Ints{4, 5, 0, 1}));
  EXPECT_EQ(run_one(OpKind::Gather, {counting({3, 2}), Tensor::scalar<std::int32_t>(1)}, {{"axis", std::int64_t{1}}})[0]
                .shape(),
            (Shape{3}));
  EXPECT_EQ(texts(run_one(OpKind::Gather, {list<std::string>({"a", "b"}), Tensor::ints({1})})[0]), (Texts{"b"}));
  expect_refused(OpKind::Gather, {counting({3}), Tensor::ints({3})});
  expect_refused(OpKind::Gather, {counting({3}), Tensor::ints({-4})});
  expect_refused(OpKind::Gather, {counting({3}), list<float>({0})});
  expect_refused(OpKind::Gather, {counting({0}), Tensor::ints({0})});
}

TEST(GatherElements, ChecksItsIndices) {
  EXPECT_EQ(ints(OpKind::GatherElements, {counting({2, 2}), Tensor::from<std::int64_t>({2, 2}, {0, 0, 1, -2})},
                 {{"axis", std::int64_t{1}}}),
            (Ints{0, 0, 3, 2}));
  expect_refused(OpKind::GatherElements, {counting({2, 2}), Tensor::from<std::int64_t>({2, 1}, {0, 2})});
  expect_refused(OpKind::GatherElements, {counting({2, 2}), Tensor::from<std::int64_t>({1, 3}, {0, 0, 0})});
}

TEST(GatherND, TakesBatchDims) {
  const Tensor data = counting({2, 2, 2});
  const Tensor indices = Tensor::from<std::int64_t>({2, 1}, {1, 0});
  EXPECT_EQ(ints(OpKind::GatherND, {data, indices}), (Ints{4, 5, 6, 7, 0, 1, 2, 3}));
  EXPECT_EQ(ints(OpKind::GatherND, {data, indices}, {{"batch_dims", std::int64_t{1}}}), (Ints{2, 3, 4, 5}));
  expect_refused(OpKind::GatherND, {data, Tensor::from<std::int64_t>({1, 1}, {2})});
  expect_refused(OpKind::GatherND, {data, Tensor::from<std::int64_t>({1, 4}, {0, 0, 0, 0})});
  expect_refused(OpKind::GatherND, {data, indices}, {{"batch_dims", std::int64_t{2}}});
}

TEST(ScatterND, ReducesWithAddMulMaxMin) {
  const Tensor data = Tensor::ints({1, 2, 3, 4}), indices = Tensor::from<std::int64_t>({3, 1}, {1, 1, -1});
  const Tensor updates = Tensor::ints({5, 7, 2});
  const auto scatter = [&](const char* reduction) {
    return ints(OpKind::ScatterND, {data, indices, updates}, {{"reduction", std::string(reduction)}});
  };
  EXPECT_EQ(scatter("none"), (Ints{1, 7, 3, 2}));
  EXPECT_EQ(scatter("add"), (Ints{1, 14, 3, 6}));
  EXPECT_EQ(scatter("mul"), (Ints{1, 70, 3, 8}));
  EXPECT_EQ(scatter("max"), (Ints{1, 7, 3, 4}));
  EXPECT_EQ(scatter("min"), (Ints{1, 2, 3, 2}));
  expect_refused(OpKind::ScatterND, {data, indices, updates}, {{"reduction", std::string("mean")}});
  expect_refused(OpKind::ScatterND, {data, Tensor::from<std::int64_t>({3, 1}, {1, 1, 4}), updates});
  expect_refused(OpKind::ScatterND, {data, indices, Tensor::ints({5})});
}

TEST(ScatterElements, ReducesAndChecks) {
  const Tensor data = list<float>({1, 2, 3}), indices = Tensor::ints({0, 0}), updates = list<float>({-5, 0.5f});
  const auto scatter = [&](const char* reduction) {
    return to_floats(
        run_one(OpKind::ScatterElements, {data, indices, updates}, {{"reduction", std::string(reduction)}})[0]);
  };
  EXPECT_EQ(scatter("none"), (Floats{0.5f, 2, 3}));
  EXPECT_EQ(scatter("max"), (Floats{1, 2, 3}));
  EXPECT_EQ(scatter("min"), (Floats{-5, 2, 3}));
  EXPECT_EQ(scatter("add"), (Floats{-3.5f, 2, 3}));
  EXPECT_EQ(scatter("mul"), (Floats{-2.5f, 2, 3}));
  EXPECT_EQ(texts(run_one(OpKind::ScatterElements,
                          {list<std::string>({"a", "b"}), Tensor::ints({1}), list<std::string>({"z"})})[0]),
            (Texts{"a", "z"}));
  expect_refused(OpKind::ScatterElements, {data, Tensor::ints({0, 3}), updates});
  expect_refused(OpKind::ScatterElements, {data, Tensor::ints({0}), updates});
}

TEST(Compress, KeepsWhatIsTrue) {
  EXPECT_EQ(ints(OpKind::Compress, {counting({2, 3}), list<bool>({false, true})}, {{"axis", std::int64_t{0}}}),
            (Ints{3, 4, 5}));
  EXPECT_EQ(ints(OpKind::Compress, {counting({2, 2}), list<bool>({true, false, false, true})}), (Ints{0, 3}));
  expect_refused(OpKind::Compress, {counting({2}), list<bool>({false, false, true})});
}

TEST(Unique, GivesAllItsOutputs) {
  const Tensor x = list<float>({2, 1, 1, 3, 4, 3});
  auto out = run_one(OpKind::Unique, {x}, {{"sorted", std::int64_t{0}}}, 4);
  EXPECT_EQ(to_floats(out[0]), (Floats{2, 1, 3, 4}));
  EXPECT_EQ(to_ints(out[1]), (Ints{0, 1, 3, 4}));
  EXPECT_EQ(to_ints(out[2]), (Ints{0, 1, 1, 2, 3, 2}));
  EXPECT_EQ(to_ints(out[3]), (Ints{1, 2, 2, 1}));
  out = run_one(OpKind::Unique, {Tensor::from<float>({3, 2}, {1, 0, 1, 0, 0, 5})}, {{"axis", std::int64_t{0}}}, 4);
  EXPECT_EQ(to_floats(out[0]), (Floats{0, 5, 1, 0}));
  EXPECT_EQ(to_ints(out[1]), (Ints{2, 0}));
  EXPECT_EQ(to_ints(out[2]), (Ints{1, 1, 0}));
  EXPECT_EQ(texts(run_one(OpKind::Unique, {list<std::string>({"b", "a", "b"})})[0]), (Texts{"a", "b"}));
}

TEST(Fill, MakesTensorsFromSizes) {
  EXPECT_EQ(ints(OpKind::ConstantOfShape, {Tensor::ints({2})}, {{"value", Tensor::ints({7})}}), (Ints{7, 7}));
  EXPECT_EQ(run_one(OpKind::ConstantOfShape, {Tensor::ints({0, 2})})[0].shape(), (Shape{0, 2}));
  expect_refused(OpKind::ConstantOfShape, {Tensor::ints({-1})});
  expect_refused(OpKind::ConstantOfShape, {Tensor::ints({std::int64_t{1} << 40, std::int64_t{1} << 40})});
  EXPECT_EQ(to_floats(run_one(OpKind::EyeLike, {Tensor(DType::F32, {2, 3})}, {{"k", std::int64_t{1}}})[0]),
            (Floats{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(to_floats(run_one(OpKind::EyeLike, {Tensor(DType::F32, {2, 2})}, {{"k", std::int64_t{-9}}})[0]),
            (Floats{0, 0, 0, 0}));
}

TEST(Range, CountsUpAndDown) {
  const auto range = [](std::int64_t start, std::int64_t limit, std::int64_t delta) {
    return ints(OpKind::Range, {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)});
  };
  EXPECT_EQ(range(1, 6, 2), (Ints{1, 3, 5}));
  EXPECT_EQ(range(5, 0, -2), (Ints{5, 3, 1}));
  EXPECT_EQ(range(0, -5, 1), Ints{});
  const auto s = [](float x) { return Tensor::scalar(x); };
  EXPECT_EQ(to_floats(run_one(OpKind::Range, {s(0), s(1), s(0.4f)})[0]), (Floats{0, 0.4f, 0.8f}));
  expect_refused(OpKind::Range, {s(0), s(1), s(0)});
  expect_refused(OpKind::Range,
                 {Tensor::scalar<std::int64_t>(0), Tensor::scalar<std::int64_t>(1), Tensor::scalar<std::int64_t>(0)});
  expect_refused(OpKind::Range, {Tensor::scalar<std::int64_t>(0), Tensor::scalar<std::int64_t>(1), s(1)});
  const auto lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();
  expect_refused(OpKind::Range, {Tensor::scalar(lowest), Tensor::scalar(highest), Tensor::scalar<std::int64_t>(1)});
  expect_refused(OpKind::Range,
                 {Tensor::scalar<std::int64_t>(0), Tensor::scalar(highest), Tensor::scalar<std::int64_t>(1)});
}

TEST(OneHot, LeavesRowsOffForIndicesOutOfRange) {
  const Tensor values = list<float>({-1, 5});
  EXPECT_EQ(to_floats(run_one(OpKind::OneHot, {Tensor::ints({1, -1, 9}), Tensor::scalar<std::int64_t>(3), values})[0]),
            (Floats{-1, 5, -1, -1, -1, 5, -1, -1, -1}));
  EXPECT_EQ(to_floats(run_one(OpKind::OneHot, {Tensor::ints({0}), Tensor::scalar(2.0f), values},
                              {{"axis", std::int64_t{0}}})[0]),
            (Floats{5, -1}));
  expect_refused(OpKind::OneHot, {Tensor::ints({0}), Tensor::scalar<std::int64_t>(std::int64_t{1} << 62), values});
}

TEST(Trilu, KeepsOneTriangle) {
  const Tensor x = Tensor::ints({1, 2, 3, 4}).reshaped({2, 2});
  EXPECT_EQ(ints(OpKind::Trilu, {x}), (Ints{1, 2, 0, 4}));
  EXPECT_EQ(ints(OpKind::Trilu, {x}, {{"upper", std::int64_t{0}}}), (Ints{1, 0, 3, 4}));
  EXPECT_EQ(ints(OpKind::Trilu, {x, Tensor::scalar(std::numeric_limits<std::int64_t>::max())}), (Ints{0, 0, 0, 0}));
}

TEST(NonZero, ListsIndicesByAxis) {
  EXPECT_EQ(ints(OpKind::NonZero, {Tensor::from<bool>({2, 2}, {true, false, true, true})}), (Ints{0, 1, 1, 0, 0, 1}));
  EXPECT_EQ(run_one(OpKind::NonZero, {Tensor::scalar(1.0f)})[0].shape(), (Shape{0, 1}));
}

TEST(Shapes, AreReadWithRanges) {
  EXPECT_EQ(ints(OpKind::Shape, {counting({2, 3, 4})}, {{"start", std::int64_t{-2}}}), (Ints{3, 4}));
  EXPECT_EQ(ints(OpKind::Shape, {counting({2, 3, 4})}, {{"start", std::int64_t{2}}, {"end", std::int64_t{1}}}), Ints{});
  EXPECT_EQ(ints(OpKind::Size, {counting({2, 3})}), (Ints{6}));
  EXPECT_EQ(run_one(OpKind::Flatten, {counting({2, 3, 4})}, {{"axis", std::int64_t{-1}}})[0].shape(), (Shape{6, 4}));
  EXPECT_EQ(run_one(OpKind::Squeeze, {counting({1, 3, 1})})[0].shape(), (Shape{3}));
  EXPECT_EQ(run_one(OpKind::Unsqueeze, {counting({3}), Tensor::ints({-1, 0})})[0].shape(), (Shape{1, 3, 1}));
  expect_refused(OpKind::Squeeze, {counting({2}), Tensor::ints({0})});
  expect_refused(OpKind::Unsqueeze, {counting({3}), Tensor::ints({0, 0})});
}

TEST(ReverseSequence, ReversesTheFirstSteps) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(ints(OpKind::ReverseSequence, {x, Tensor::ints({2, 3})},
                 {{"batch_axis", std::int64_t{0}}, {"time_axis", std::int64_t{1}}}),
            (Ints{1, 0, 2, 5, 4, 3}));
  expect_refused(OpKind::ReverseSequence, {x, Tensor::ints({2, 4})},
                 {{"batch_axis", std::int64_t{0}}, {"time_axis", std::int64_t{1}}});
}

}  // namespace
}  // namespace adze
