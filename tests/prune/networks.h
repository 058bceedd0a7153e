#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/graph/graph.h"
#include "adze/graph/infer.h"

namespace adze::prune::testing {

using Attributes = std::vector<std::pair<std::string, Attribute>>;
using Ints = std::vector<std::int64_t>;

/// Builds networks with random weights; a feature is a value with its number of channels.
class Builder {
 public:
  struct Feature {
    ValueId value;
    std::int64_t channels;
  };

  explicit Builder(std::uint64_t seed) : random(seed) {}

  Tensor normal(const Shape& shape, double scale) {
    Tensor tensor(DType::F32, shape);
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(scale * random.normal());
    return tensor;
  }
  std::string next(const std::string& base) { return cat(base, "_", count_++); }
  ValueId constant(const std::string& name, Tensor tensor) { return graph.add_constant(next(name), std::move(tensor)); }
  ValueId ints(const Ints& values) { return constant("ints", Tensor::ints(values)); }
  ValueId add(OpKind kind, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return graph.add(kind, std::move(inputs), std::move(attributes), next(std::string(op_name(kind))));
  }
  Feature input(std::int64_t channels, std::int64_t size) {
    return {graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, channels, size, size})), channels};
  }
  Feature conv(Feature x, std::int64_t channels, std::int64_t kernel = 3, std::int64_t groups = 1) {
    const double fan_in = static_cast<double>(kernel * kernel * x.channels / groups);
    const ValueId weight =
        constant("weight", normal({channels, x.channels / groups, kernel, kernel}, 1.4 / std::sqrt(fan_in)));
    const ValueId bias = constant("bias", normal({channels}, 0.3));
    const std::int64_t pad = kernel / 2;
    return {add(OpKind::Conv, {x.value, weight, bias},
                {{"group", groups}, {"kernel_shape", Ints{kernel, kernel}}, {"pads", Ints{pad, pad, pad, pad}}}),
            channels};
  }
  Feature depthwise(Feature x, std::int64_t multiplier = 1) { return conv(x, x.channels * multiplier, 3, x.channels); }
  Feature unary(OpKind kind, Feature x) { return {add(kind, {x.value}), x.channels}; }
  Feature batch_norm(Feature x) {
    Tensor variance(DType::F32, {x.channels});
    for (float& value : variance.mutable_data<float>()) value = static_cast<float>(random.uniform(0.5, 2));
    const ValueId scale = constant("scale", normal({x.channels}, 1)),
                  shift = constant("shift", normal({x.channels}, 1));
    const ValueId mean = constant("mean", normal({x.channels}, 0.5)), spread = constant("variance", variance);
    return {add(OpKind::BatchNormalization, {x.value, scale, shift, mean, spread}), x.channels};
  }
  ValueId gemm(ValueId x, std::int64_t in, std::int64_t out) {
    const ValueId weight = constant("weight", normal({out, in}, 1 / std::sqrt(static_cast<double>(in))));
    return add(OpKind::Gemm, {x, weight, constant("bias", normal({out}, 0.3))}, {{"transB", std::int64_t{1}}});
  }
  ValueId matmul(ValueId x, std::int64_t in, std::int64_t out) {
    return add(OpKind::MatMul, {x, constant("weight", normal({in, out}, 1 / std::sqrt(static_cast<double>(in))))});
  }
  Graph finish(ValueId output) {
    graph.add_output(output);
    infer_types(graph);
    return graph;
  }

  Graph graph;
  Random random;

 private:
  int count_ = 0;
};

/// A random network of convolutions with branches: residual adds, concats, splits, slices, shuffles, depthwise and
/// grouped convolutions, gates, batch norms, pools; it ends flattened or averaged, in a Gemm.
Graph random_network(std::uint64_t seed);

}  // namespace adze::prune::testing
