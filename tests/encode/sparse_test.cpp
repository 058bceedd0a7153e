#include "adze/encode/sparse.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/infer.h"

namespace adze::encode {
namespace {

Tensor random_sparse(DType dtype, const Shape& shape, double zeros, Random& random) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (random.uniform() < zeros) continue;
    if (dtype == DType::F32) {
      tensor.set_double(i, random.normal());
    } else {
      tensor.set_int(i, static_cast<std::int64_t>(random.below(7)) + 1);
    }
  }
  return tensor;
}

TEST(EncodeSparse, GivesBackWhatItTookInEveryForm) {
  Random random(1);
  for (const DType dtype : {DType::F32, DType::S8, DType::S4}) {
    for (const double zeros : {0.0, 0.5, 0.9, 0.999, 1.0}) {
      const Tensor tensor = random_sparse(dtype, {37, 53}, zeros, random);
      const auto bytes = encode_sparse(tensor);
      EXPECT_EQ(static_cast<std::int64_t>(bytes.size()), sparse_size(tensor).bytes);
      EXPECT_TRUE(identical(decode_sparse(bytes), tensor)) << dtype_name(dtype) << " " << zeros;
    }
  }
}

TEST(SparseSize, TakesBitsForManyValuesAndRunsForFew) {
  Random random(2);
  const Shape shape = {100, 100};
  EXPECT_EQ(sparse_size(random_sparse(DType::F32, shape, 0.0, random)).map, ZeroMap::None);
  EXPECT_EQ(sparse_size(random_sparse(DType::F32, shape, 0.5, random)).map, ZeroMap::Bitmap);
  EXPECT_EQ(sparse_size(random_sparse(DType::F32, shape, 0.99, random)).map, ZeroMap::Runs);
  const auto half = sparse_size(random_sparse(DType::S8, shape, 0.5, random));
  EXPECT_NEAR(static_cast<double>(half.bytes), 10000 * 0.5 + 10000 / 8.0, 200);
}

TEST(DecodeSparse, RefusesDamagedBytes) {
  Random random(3);
  for (const double zeros : {0.0, 0.5, 0.99}) {
    auto bytes = encode_sparse(random_sparse(DType::F32, {20, 20}, zeros, random));
    bytes.push_back(std::byte{0});
    EXPECT_THROW(decode_sparse(bytes), ModelError);
    bytes.resize(bytes.size() - 2);
    EXPECT_THROW(decode_sparse(bytes), ModelError);
  }
  EXPECT_THROW(decode_sparse(std::vector<std::byte>(3, std::byte{200})), ModelError);
}

TEST(WriteOnnx, SparseInitializersReadBackTheSame) {
  Random random(4);
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, 64}));
  const Tensor weights = random_sparse(DType::F32, {64, 32}, 0.9, random);
  graph.add_output(graph.add(OpKind::MatMul, {x, graph.add_constant("w", weights)}, {}, "product"));
  infer_types(graph);
  onnx::WriteOptions options;
  const std::string dense = onnx::write_bytes(graph, options);
  options.sparse = true;
  const auto sparse = std::make_shared<std::string>(onnx::write_bytes(graph, options));
  EXPECT_LT(sparse->size(), dense.size() / 2);
  const Graph read = onnx::read_bytes(std::as_bytes(std::span(*sparse)), sparse);
  const ValueId found = read.find_value("w");
  ASSERT_NE(found, ValueId::None);
  EXPECT_TRUE(identical(*read.constant(found), weights));
}

}  // namespace
}  // namespace adze::encode
