#include "tests/properties/random_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/random.h"
#include "adze/graph/edit.h"
#include "adze/graph/infer.h"
#include "adze/rewrite/rule.h"

namespace adze::testing {

namespace {

using Ints = std::vector<std::int64_t>;
using Attributes = std::vector<std::pair<std::string, Attribute>>;

class Builder {
 public:
  Builder(std::uint64_t seed, const RandomGraphOptions& options) : random_(seed), options_(options) {}

  Graph build() {
    const Dim batch = chance(2) ? Dim::named("n") : Dim(2);
    const std::int64_t channels = pick({2, 3, 4}), side = pick({4, 5, 6});
    add_input("x", {batch, Dim(channels), Dim(side), Dim(side)});
    if (chance(2)) add_input("z", {batch, Dim(channels), Dim(side), Dim(side)});
    if (chance(2)) add_input("v", {batch, Dim(6)});
    for (int i = 0; i < options_.nodes; ++i) piece();
    add_outputs();
    return std::move(graph_);
  }

 private:
  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  std::int64_t pick(const Ints& choices) { return choices[random_.below(choices.size())]; }
  template <typename T>
  T choose(const std::vector<T>& choices) {
    return choices[random_.below(choices.size())];
  }

  void add_input(const char* name, SymbolicShape shape) {
    values_.push_back(graph_.add_input(name, ValueType::tensor(DType::F32, std::move(shape))));
  }

  /// A node whose types are inferred at once.
  ValueId add(OpKind kind, std::vector<ValueId> inputs, Attributes attributes = {}, int outputs = 1) {
    const ValueId first = graph_.add(kind, std::move(inputs), std::move(attributes), {}, outputs);
    const Node& node = *graph_.producer_of(first);
    const InferContext context = infer_node(graph_, node);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      graph_.value(node.outputs[i]).type = context.output_types[i];
      graph_.value(node.outputs[i]).dims = context.output_dims[i];
    }
    return first;
  }

  void keep(ValueId id) {
    const auto& shape = graph_.value(id).type.shape;
    if (graph_.value(id).type.dtype != DType::F32 || !shape) return;
    for (const Dim& dim : *shape) {
      if (dim.is_known() && dim.value == 0) return;
    }
    values_.push_back(id);
  }

  const SymbolicShape& shape(ValueId id) { return *graph_.value(id).type.shape; }
  std::int64_t dim(ValueId id, std::size_t axis) { return shape(id)[axis].value; }
  std::int64_t rank(ValueId id) { return std::ssize(shape(id)); }

  /// A value, later ones more often; of this rank and without unknown dimensions behind the first, or None.
  ValueId any_value(std::int64_t wanted_rank = -1) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const std::size_t back = std::min(random_.below(values_.size()), random_.below(values_.size()));
      const ValueId id = values_[values_.size() - 1 - back];
      if (wanted_rank >= 0 && rank(id) != wanted_rank) continue;
      const auto& dims = shape(id);
      if (std::all_of(dims.begin() + (dims.empty() ? 0 : 1), dims.end(), [](const Dim& d) { return d.is_known(); }))
        return id;
    }
    return wanted_rank < 0 ? values_.front() : ValueId::None;
  }

  Tensor normal(const Shape& shape, double deviation = 1, double mean = 0) {
    Tensor tensor(DType::F32, shape);
    for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, mean + deviation * random_.normal());
    return tensor;
  }

  Tensor positive(const Shape& shape) {
    Tensor tensor(DType::F32, shape);
    for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, random_.uniform(0.25, 2));
    return tensor;
  }

  ValueId constant(Tensor tensor) { return graph_.add_constant(graph_.unique_name("c"), std::move(tensor)); }
  ValueId scalar(float value) { return constant(Tensor::scalar(value)); }
  ValueId ints(const Ints& values) { return constant(Tensor::ints(values)); }

  Ints random_permutation_of(std::int64_t count) { return random_permutation(count, random_); }

  void piece() {
    switch (random_.below(options_.quantized ? 26 : 24)) {
      case 0:
      case 1:
        return convolution();
      case 2:
        return transposed_convolution();
      case 3:
      case 4:
        return batch_norm();
      case 5:
        return pool();
      case 6:
        return pad();
      case 7:
      case 8:
        return gemm();
      case 9:
      case 10:
        return unary();
      case 11:
        return binary();
      case 12:
      case 13:
        return with_constant();
      case 14:
        return neutral();
      case 15:
        return transpose();
      case 16:
        return channels_last();
      case 17:
        return reshape();
      case 18:
        return slice_or_split();
      case 19:
        return concat();
      case 20:
        return reduce();
      case 21:
        return pattern();
      case 22:
        return duplicate();
      case 23:
        return branch();
      default:
        return quantize();
    }
  }

  void convolution() {
    const ValueId x = any_value(4);
    if (x == ValueId::None) return;
    const std::int64_t in = dim(x, 1), kernel = pick({1, 1, 3}), pad = pick({0, 1});
    if (dim(x, 2) + 2 * pad < kernel || dim(x, 3) + 2 * pad < kernel || in > 32) return;
    const bool depthwise = chance(3);
    const std::int64_t group = depthwise ? in : 1, out = depthwise ? in * pick({1, 2}) : pick({2, 3, 4});
    const double deviation = 1 / std::sqrt(static_cast<double>(in / group * kernel * kernel));
    std::vector<ValueId> inputs = {x, constant(normal({out, in / group, kernel, kernel}, deviation))};
    if (chance(2)) inputs.push_back(constant(normal({out})));
    Attributes attributes = {{"pads", Ints{pad, pad, pad, pad}}, {"strides", Ints{pick({1, 1, 2}), 1}}};
    if (group > 1) attributes.emplace_back("group", group);
    keep(add(OpKind::Conv, inputs, attributes));
  }

  void transposed_convolution() {
    const ValueId x = any_value(4);
    if (x == ValueId::None || dim(x, 2) > 12 || dim(x, 3) > 12 || dim(x, 1) > 32) return;
    const std::int64_t in = dim(x, 1), group = in % 2 == 0 && chance(2) ? 2 : 1, out = pick({1, 2});
    std::vector<ValueId> inputs = {x, constant(normal({in, out, 2, 2}, 0.5))};
    if (chance(2)) inputs.push_back(constant(normal({out * group})));
    keep(add(OpKind::ConvTranspose, inputs, {{"group", group}, {"strides", Ints{pick({1, 2}), 1}}}));
  }

  void batch_norm() {
    const ValueId x = any_value(chance(3) ? 2 : 4);
    if (x == ValueId::None) return;
    const Shape c = {dim(x, 1)};
    keep(add(OpKind::BatchNormalization,
             {x, constant(normal(c, 0.5, 1)), constant(normal(c)), constant(normal(c, 0.3)), constant(positive(c))},
             {{"epsilon", 1e-3f}}));
  }

  void pool() {
    const ValueId x = any_value(4);
    if (x == ValueId::None || dim(x, 2) < 2 || dim(x, 3) < 2) return;
    if (chance(4)) return keep(add(OpKind::GlobalAveragePool, {x}));
    const std::int64_t pad = pick({0, 1});
    Attributes attributes = {
        {"kernel_shape", Ints{2, 2}}, {"pads", Ints{pad, 0, 0, pad}}, {"strides", Ints{pick({1, 2}), pick({1, 2})}}};
    if (chance(2)) return keep(add(OpKind::MaxPool, {x}, attributes));
    attributes.emplace_back("count_include_pad", pick({0, 1}));
    keep(add(OpKind::AveragePool, {x}, attributes));
  }

  void pad() {
    const ValueId x = any_value(4);
    if (x == ValueId::None) return;
    const std::int64_t amount = pick({0, 1, 1});
    const ValueId value = chance(3)   ? scalar(-std::numeric_limits<float>::infinity())
                          : chance(2) ? scalar(0)
                                      : ValueId::None;
    if (graph_.constant(value) != nullptr &&
        graph_.constant(value)->get_double(0) != 0) {  // only a MaxPool removes -∞ again
      const ValueId padded = add(OpKind::Pad, {x, ints({0, 0, 1, 1, 0, 0, 1, 1}), value});
      return keep(add(OpKind::MaxPool, {padded}, {{"kernel_shape", Ints{3, 3}}}));
    }
    const bool by_axes = chance(2);
    const ValueId amounts = by_axes ? ints({amount, 1, 0, amount}) : ints({0, 0, amount, 1, 0, 0, amount, 0});
    const ValueId padded =
        add(OpKind::Pad, by_axes ? std::vector{x, amounts, value, ints({2, -1})} : std::vector{x, amounts, value});
    if (chance(2)) keep(padded);
    const std::int64_t in = dim(x, 1);
    if (chance(2) && dim(padded, 2) >= 2 && dim(padded, 3) >= 2) {
      keep(add(OpKind::AveragePool, {padded},
               {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"count_include_pad", pick({0, 1})}}));
    } else if (in <= 32) {
      keep(add(OpKind::Conv, {padded, constant(normal({2, in, 1, 1}, 0.5))}, {{"pads", Ints{0, 1, 0, 1}}}));
    }
  }

  void gemm() {
    const ValueId x = any_value(2);
    if (x == ValueId::None) {
      const ValueId y = any_value(4);
      if (y != ValueId::None) keep(add(OpKind::Flatten, {y}));
      return;
    }
    const std::int64_t in = dim(x, 1), out = pick({2, 3, 6});
    if (in > 400) return;
    const double deviation = 1 / std::sqrt(static_cast<double>(in));
    if (chance(2)) {
      ValueId y = add(OpKind::MatMul, {x, constant(normal({in, out}, deviation))});
      if (chance(2)) y = add(OpKind::Add, {constant(normal(chance(2) ? Shape{out} : Shape{1, out})), y});
      return keep(y);
    }
    const bool transposed = chance(2);
    std::vector<ValueId> inputs = {x, constant(normal(transposed ? Shape{out, in} : Shape{in, out}, deviation))};
    if (chance(2)) inputs.push_back(constant(normal(chance(2) ? Shape{out} : Shape{1, out})));
    Attributes attributes = {{"transB", std::int64_t{transposed}}};
    if (chance(4)) attributes.emplace_back("alpha", 0.5f);
    keep(add(OpKind::Gemm, inputs, attributes));
  }

  void unary() {
    const ValueId x = any_value();
    using enum OpKind;
    ValueId y = add(choose(std::vector{Relu, Relu, Sigmoid, Tanh, LeakyRelu, Abs, Neg, HardSwish, Elu, Identity}), {x});
    if (chance(3))
      y = add(Clip, {y, chance(2) ? scalar(-0.5f) : ValueId::None, scalar(static_cast<float>(pick({1, 6})))});
    keep(y);
  }

  void binary() {
    const ValueId a = any_value(), b = any_value();
    using enum OpKind;
    const bool same = rewrite::same_shape(&shape(a), &shape(b));
    keep(add(choose(std::vector{Add, Add, Mul, Sub, Max}), {a, same ? b : a}));
  }

  /// Along channels, whole, last axis or one number; sometimes a neutral one.
  Tensor broadcast_constant(ValueId x) {
    Shape wanted(static_cast<std::size_t>(rank(x)), 1);
    switch (random_.below(4)) {
      case 0:
        wanted = {};
        break;
      case 1:
        if (rank(x) >= 2) wanted[1] = dim(x, 1);
        break;
      case 2:
        if (rank(x) >= 2) wanted = {dim(x, static_cast<std::size_t>(rank(x)) - 1)};
        break;
      default:
        break;
    }
    if (chance(4)) {
      Tensor neutral(DType::F32, wanted);
      const double value = chance(2) ? 0 : 1;
      for (std::int64_t i = 0; i < neutral.size(); ++i) neutral.set_double(i, value);
      return neutral;
    }
    return chance(2) ? positive(wanted) : normal(wanted);
  }

  void with_constant() {
    const ValueId x = any_value();
    if (x == ValueId::None) return;
    using enum OpKind;
    const OpKind kind = choose(std::vector{Add, Mul, Sub, Div, Pow});
    Tensor tensor = broadcast_constant(x);
    if (kind == Div) {
      for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, std::abs(tensor.get_double(i)) + 0.5);
    }
    if (kind == Pow) tensor = Tensor::scalar(static_cast<float>(pick({1, 2})));
    const ValueId c = constant(std::move(tensor));
    const bool swap = (kind == Add || kind == Mul || kind == Sub) && chance(2);
    keep(add(kind, swap ? std::vector{c, x} : std::vector{x, c}));
  }

  void neutral() {
    const ValueId x = any_value();
    if (x == ValueId::None) return;
    const auto r = static_cast<std::size_t>(rank(x));
    switch (random_.below(7)) {
      case 0:
        return keep(add(OpKind::Dropout, {x}));
      case 1:
        return keep(add(OpKind::Cast, {x}, {{"to", std::int64_t{1}}}));
      case 2:
        return keep(add(OpKind::Tile, {x, ints(Ints(r, 1))}));
      case 3:
        return keep(add(OpKind::Pad, {x, ints(Ints(2 * r, 0))}));
      case 4:
        return keep(add(OpKind::Expand, {x, ints(Ints(std::max<std::size_t>(r, 1) - (r > 1 ? 1 : 0), 1))}));
      case 5:
        return keep(add(OpKind::Reshape, {x, ints(Ints(r, 0))}));
      default:
        return keep(add(OpKind::Slice, {x, ints({0}), ints({INT64_MAX}), ints({0})}));
    }
  }

  void transpose() {
    const ValueId x = any_value();
    if (x == ValueId::None || rank(x) < 2) return;
    const Ints perm = random_permutation_of(rank(x));
    ValueId y = add(OpKind::Transpose, {x}, {{"perm", perm}});
    if (chance(2)) y = add(chance(2) ? OpKind::Relu : OpKind::Sigmoid, {y});
    keep(y);
    if (!chance(2)) return;
    Ints back(perm.size());
    for (std::size_t i = 0; i < perm.size(); ++i)
      back[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
    keep(add(OpKind::Transpose, {y}, {{"perm", back}}));
  }

  /// What a channels-last exporter leaves: transposed, a few operators, transposed back.
  void channels_last() {
    const ValueId x = any_value(4);
    if (x == ValueId::None) return;
    ValueId y = add(OpKind::Transpose, {x}, {{"perm", Ints{0, 2, 3, 1}}});
    if (chance(2)) y = add(OpKind::Add, {y, constant(normal({dim(x, 1)}))});
    if (chance(2)) y = add(OpKind::Mul, {constant(normal({1, 1, dim(x, 1)})), y});
    if (chance(3)) y = add(OpKind::Softmax, {y}, {{"axis", pick({1, 2, 3, -1})}});
    if (chance(3))
      y = add(OpKind::Concat, {y, add(OpKind::Transpose, {x}, {{"perm", Ints{0, 2, 3, 1}}})},
              {{"axis", std::int64_t{rank(x) - 1}}});
    if (chance(3)) y = add(OpKind::Pad, {y, ints({0, 1, 0, 0, 0, 0, 1, 2})});
    if (std::none_of(shape(y).begin() + 1, shape(y).end(), [](const Dim& d) { return !d.is_known(); }) && chance(3)) {
      return keep(add(OpKind::ReduceMean, {y, ints({1, -2})}, {{"keepdims", pick({0, 1})}}));
    }
    keep(add(OpKind::Transpose, {y}, {{"perm", Ints{0, 3, 1, 2}}}));
  }

  void reshape() {
    const ValueId x = any_value();
    if (x == ValueId::None || rank(x) < 2) return;
    switch (random_.below(5)) {
      case 0:
        return keep(add(OpKind::Flatten, {x}));
      case 1:
        return keep(add(OpKind::Squeeze, {add(OpKind::Unsqueeze, {x, ints({1})}), ints({1})}));
      case 2:
        return keep(add(OpKind::Unsqueeze, {x, ints({pick({1, -1})})}));
      case 3:
        return keep(add(OpKind::Reshape, {x, ints({0, -1})}));
      default:
        break;
    }
    // The batch size by Shape, Gather, Unsqueeze and Concat, as PyTorch exports x.view(x.size(0), -1).
    const ValueId batch = add(OpKind::Gather, {add(OpKind::Shape, {x}), constant(Tensor::scalar<std::int64_t>(0))});
    const ValueId target =
        add(OpKind::Concat, {add(OpKind::Unsqueeze, {batch, ints({0})}), ints({-1})}, {{"axis", std::int64_t{0}}});
    keep(add(OpKind::Reshape, {x, target}));
  }

  void slice_or_split() {
    const ValueId x = any_value();
    if (x == ValueId::None || rank(x) < 2) return;
    const std::int64_t axis = 1 + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(rank(x)) - 1));
    const std::int64_t size = dim(x, static_cast<std::size_t>(axis));
    if (size < 2) return;
    if (chance(2)) return keep(add(OpKind::Slice, {x, ints({1}), ints({chance(2) ? INT64_MAX : size}), ints({axis})}));
    const ValueId first = add(OpKind::Split, {x, ints({1, size - 1})}, {{"axis", axis}}, 2);
    const ValueId second = graph_.producer_of(first)->outputs[1];
    keep(first);
    keep(add(OpKind::Concat, {first, second}, {{"axis", axis}}));
  }

  void concat() {
    const ValueId a = any_value(), b = any_value();
    if (a == ValueId::None || rank(a) < 2) return;
    const bool same = rewrite::same_shape(&shape(a), &shape(b));
    keep(add(OpKind::Concat, {a, same ? b : a}, {{"axis", pick({1, -1})}}));
  }

  void reduce() {
    const ValueId x = any_value();
    if (x == ValueId::None || rank(x) < 2) return;
    using enum OpKind;
    if (chance(3)) return keep(add(Softmax, {x}, {{"axis", pick({1, -1})}}));
    keep(add(choose(std::vector{ReduceMean, ReduceMax, ReduceSum}), {x, ints({pick({1, -1})})},
             {{"keepdims", pick({0, 1, 1})}}));
  }

  void pattern() {
    const ValueId x = any_value();
    if (x == ValueId::None || rank(x) < 2) return;
    using enum OpKind;
    switch (random_.below(4)) {
      case 0: {
        const ValueId erf = add(Erf, {add(Div, {x, scalar(std::sqrt(2.0f))})});
        return keep(add(Mul, {add(Mul, {x, add(Add, {erf, scalar(1)})}), scalar(0.5f)}));
      }
      case 1: {
        const ValueId gate = add(Clip, {add(Add, {x, scalar(3)}), scalar(0), scalar(6)});
        return keep(add(Mul, {x, add(Div, {gate, scalar(6)})}));
      }
      case 2: {
        const ValueId axis = ints({pick({1, -1})});
        const ValueId e = add(Exp, {add(Sub, {x, add(ReduceMax, {x, axis})})});
        return keep(add(Div, {e, add(ReduceSum, {e, axis})}));
      }
      default:
        break;
    }
    const ValueId axes = ints({-1});
    const adze::Shape last = {dim(x, static_cast<std::size_t>(rank(x)) - 1)};
    const ValueId d = add(Sub, {x, add(ReduceMean, {x, axes})});
    const ValueId variance = add(ReduceMean, {chance(2) ? add(Pow, {d, scalar(2)}) : add(Mul, {d, d}), axes});
    const ValueId n = add(Div, {d, add(Sqrt, {add(Add, {variance, scalar(0.01f)})})});
    keep(add(Add, {add(Mul, {n, constant(normal(last))}), constant(normal(last))}));
  }

  /// A node like one that is there.
  void duplicate() {
    const std::vector<NodeId> ids = graph_.node_ids();
    if (ids.empty()) return;
    const Node node = graph_.node(choose(ids));
    if (node.outputs.size() == 1) keep(add(node.kind, node.inputs, node.attributes));
  }

  void branch() {
    const ValueId x = any_value();
    if (x == ValueId::None) return;
    const auto arm = [&](OpKind kind) {
      Graph inner;
      const ValueId capture = inner.add_capture("outer", graph_.value(x).type);
      inner.add_output(
          inner.add(kind, {inner.add(OpKind::Identity, {capture}), inner.add_constant("k", positive({}))}));
      return Subgraph{std::make_shared<const Graph>(std::move(inner)), {x}};
    };
    Tensor condition(DType::Bool, {});
    condition.set_int(0, chance(2));
    const ValueId y =
        add(OpKind::If, {constant(condition)}, {{"else_branch", arm(OpKind::Mul)}, {"then_branch", arm(OpKind::Add)}});
    graph_.value(y).type = graph_.value(x).type;
    keep(y);
  }

  void quantize() {
    const ValueId x = any_value();
    if (x == ValueId::None) return;
    const auto scales = [&] {
      return std::vector{scalar(1.0f / 16),
                         constant(chance(2) ? Tensor::scalar<std::uint8_t>(128) : Tensor::scalar<std::int8_t>(3))};
    };
    const auto parameters = scales();
    ValueId q = add(OpKind::QuantizeLinear, {x, parameters[0], parameters[1]});
    ValueId y = add(OpKind::DequantizeLinear, {q, parameters[0], parameters[1]});
    if (rank(y) >= 2 && chance(2)) y = add(OpKind::Transpose, {y}, {{"perm", random_permutation_of(rank(y))}});
    if (rank(y) >= 2 && chance(3)) y = add(OpKind::Concat, {y, y}, {{"axis", std::int64_t{-1}}});
    if (chance(2)) {
      q = add(OpKind::QuantizeLinear, {y, parameters[0], parameters[1]});
      y = add(OpKind::DequantizeLinear, {q, parameters[0], parameters[1]});
    }
    keep(y);
  }

  void add_outputs() {
    graph_.add_output(values_.back());
    for (int i = 0; i < 2; ++i) {
      const ValueId id = choose(values_);
      const auto& outputs = graph_.outputs();
      const bool is_new = std::find(outputs.begin(), outputs.end(), id) == outputs.end();
      if (is_new && chance(2)) graph_.add_output(id);
    }
  }

  Graph graph_;
  Random random_;
  RandomGraphOptions options_;
  std::vector<ValueId> values_;
};

}  // namespace

Graph random_graph(std::uint64_t seed, const RandomGraphOptions& options) {
  return Builder(seed, options).build();
}

void insert_neutral_nodes(Graph& graph, std::uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < 4; ++i) {
    const std::vector<NodeId> ids = graph.node_ids();
    if (ids.empty()) return;
    const ValueId value = graph.node(ids[random.below(ids.size())]).output();
    const ValueType type = graph.value(value).type;
    if (!type.is_tensor() || !type.shape) continue;
    const std::int64_t rank = std::ssize(*type.shape);
    GraphEdit edit(graph, "neutral");
    const std::uint64_t choice = random.below(3);
    if (choice == 0 || rank < 2) {
      edit.replace(value, edit.add_node(OpKind::Identity, {value}, {}, "neutral"));
    } else if (choice == 1) {
      const Ints perm = random_permutation(rank, random);
      Ints back(perm.size());
      for (std::size_t k = 0; k < perm.size(); ++k)
        back[static_cast<std::size_t>(perm[k])] = static_cast<std::int64_t>(k);
      const ValueId there = edit.add_node(OpKind::Transpose, {value}, {{"perm", perm}}, "there");
      edit.replace(value, edit.add_node(OpKind::Transpose, {there}, {{"perm", back}}, "back"));
    } else {
      const Dim last = type.shape->back();
      if (!last.is_known() || last.value < 2) continue;
      const ValueId sizes = edit.add_constant("sizes", Tensor::ints({1, last.value - 1}));
      const ValueId first = edit.add_node(OpKind::Split, {value, sizes}, {{"axis", rank - 1}}, "split", 2);
      const auto second = static_cast<ValueId>(static_cast<std::int32_t>(first) + 1);
      edit.replace(value, edit.add_node(OpKind::Concat, {first, second}, {{"axis", rank - 1}}, "join"));
    }
    apply(graph, edit);
  }
}

}  // namespace adze::testing
