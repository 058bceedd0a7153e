#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "adze/base/random.h"
#include "adze/graph/graph.h"

namespace adze::quantize::testing {

/// Builds small networks with random weights.
class Builder {
 public:
  explicit Builder(std::uint64_t seed = 1) : random_(seed) {}

  ValueId input(Shape shape, const std::string& name = "x") {
    SymbolicShape symbols = symbolic(shape);
    symbols[0] = Dim::named("batch");
    return graph.add_input(name, ValueType::tensor(DType::F32, symbols));
  }
  Tensor normal(const Shape& shape, double scale) {
    Tensor tensor(DType::F32, shape);
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(scale * random_.normal());
    return tensor;
  }
  ValueId constant(const std::string& name, Tensor tensor) { return graph.add_constant(name, std::move(tensor)); }
  /// 3 x 3, padded.
  ValueId conv(ValueId x, std::int64_t in, std::int64_t out, const std::string& name, std::int64_t group = 1) {
    const double scale = 1.4 / std::sqrt(9.0 * static_cast<double>(in / group));
    const ValueId weight = constant(name + ".weight", normal({out, in / group, 3, 3}, scale));
    const ValueId bias = constant(name + ".bias", normal({out}, 0.1));
    return graph.add(OpKind::Conv, {x, weight, bias},
                     {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
                      {"kernel_shape", std::vector<std::int64_t>{3, 3}},
                      {"group", group}},
                     name);
  }
  ValueId gemm(ValueId x, std::int64_t in, std::int64_t out, const std::string& name) {
    const ValueId weight = constant(name + ".weight", normal({out, in}, 1 / std::sqrt(static_cast<double>(in))));
    const ValueId bias = constant(name + ".bias", normal({out}, 0.1));
    return graph.add(OpKind::Gemm, {x, weight, bias}, {{"transB", std::int64_t{1}}}, name);
  }
  ValueId add(OpKind kind, std::vector<ValueId> inputs, const std::string& name,
              std::vector<std::pair<std::string, Attribute>> attributes = {}) {
    return graph.add(kind, std::move(inputs), std::move(attributes), name);
  }

  Graph graph;

 private:
  Random random_;
};

/// Conv, Relu, a residual block, a pool, a head with Softmax: [N, 3, 8, 8] → [N, 5].
inline Graph residual_network(std::uint64_t seed = 1) {
  Builder b(seed);
  const ValueId x = b.input({1, 3, 8, 8});
  const ValueId stem = b.add(OpKind::Relu, {b.conv(x, 3, 8, "stem")}, "stem_relu");
  const ValueId inner = b.add(OpKind::Relu, {b.conv(stem, 8, 8, "block_a", 8)}, "block_relu");
  const ValueId sum = b.add(OpKind::Add, {b.conv(inner, 8, 8, "block_b"), stem}, "sum");
  const ValueId out = b.add(OpKind::Relu, {sum}, "sum_relu");
  const ValueId pooled = b.add(OpKind::GlobalAveragePool, {out}, "pool");
  const ValueId flat = b.add(OpKind::Flatten, {pooled}, "flatten");
  const ValueId logits = b.gemm(flat, 8, 5, "head");
  b.graph.add_output(b.add(OpKind::Softmax, {logits}, "softmax"));
  return b.graph;
}

inline std::vector<std::vector<Tensor>> random_batches(int count, const Shape& shape, std::uint64_t seed = 7) {
  Builder b(seed);
  std::vector<std::vector<Tensor>> batches;
  for (int i = 0; i < count; ++i) batches.push_back({b.normal(shape, 1)});
  return batches;
}

}  // namespace adze::quantize::testing
