#include <cmath>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

using Ints = std::vector<std::int64_t>;

/// One recurrent layer over `context` steps of `features` numbers; its last state gives the classes. forget: where the
/// gate's biases begin that start at 1, or -1.
Graph recurrent(Builder net, const Settings& s, OpKind kind, std::int64_t gates, std::int64_t forget) {
  net.require_float("the recurrent layer runs in float");
  const Feature x = net.input({s.context, s.features});
  const ValueId steps_first = net.node(OpKind::Transpose, {x.value}, {{"perm", Ints{1, 0, 2}}});
  const auto deviation = [](std::int64_t count) { return 1.0 / std::sqrt(static_cast<double>(count)); };
  const ValueId w = net.normal_constant("weight", {1, gates * s.units, s.features}, deviation(s.features));
  const ValueId r = net.normal_constant("recurrent_weight", {1, gates * s.units, s.units}, deviation(s.units));
  Tensor biases(DType::F32, {1, 2 * gates * s.units});
  for (std::int64_t i = 0; forget >= 0 && i < s.units; ++i) {
    biases.mutable_data<float>()[static_cast<std::size_t>(forget * s.units + i)] = 1.0f;
  }
  const ValueId b = net.constant("bias", std::move(biases));
  Builder::Attributes attributes = {{"hidden_size", s.units}};
  if (kind == OpKind::GRU) attributes.emplace_back("linear_before_reset", std::int64_t{1});
  const ValueId state = net.node_output(kind, {steps_first, w, r, b}, std::move(attributes), 1);
  const ValueId rows = net.node(OpKind::Squeeze, {state, net.constant("axes", Tensor::ints({0}))});
  return net.finish(net.dense({rows, {x.shape[0], s.units}, Range::Linear}, s.classes));
}

}  // namespace

/// The forget gate's biases begin at 1 (Jozefowicz et al., 2015).
/// Source  Hochreiter and Schmidhuber, 1997; sizes: Zhang et al., Hello Edge, arXiv:1711.07128, table 9 (small)
Graph lstm(Builder net, const Settings& settings) {
  return recurrent(std::move(net), settings, OpKind::LSTM, 4, 2);
}

/// Source  Cho et al., arXiv:1406.1078; sizes as above
Graph gru(Builder net, const Settings& settings) {
  return recurrent(std::move(net), settings, OpKind::GRU, 3, -1);
}

}  // namespace adze::zoo
