#include "adze/rewrite/rules/merge_linear.h"

#include <algorithm>
#include <numeric>

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"
#include "adze/rewrite/linear_layer.h"

namespace adze::rewrite {

namespace {

using Ints = std::vector<std::int64_t>;

bool any_other(const Ints& numbers, std::int64_t than) {
  return std::any_of(numbers.begin(), numbers.end(), [&](std::int64_t one) { return one != than; });
}

bool all_zero(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double one) { return one == 0; });
}

/// A convolution with all its numbers written out.
struct Convolution {
  std::int64_t out = 0, in = 0, groups = 1;  ///< in: of all groups
  Ints kernel, strides, dilations, pads;     ///< pads: all begins, then all ends
  std::vector<double> weights;               ///< [out, in / groups, kernel …]; filled when needed

  std::int64_t window() const {
    return std::accumulate(kernel.begin(), kernel.end(), std::int64_t{1}, std::multiplies<>());
  }
  std::int64_t macs_a_position() const { return out * (in / groups) * window(); }
};

std::optional<Convolution> convolution_of(const LinearLayer& layer, const Node& node) {
  const std::string mode = node.get_string("auto_pad");
  if (layer.kind != OpKind::Conv || (mode != "NOTSET" && mode != "VALID" && !mode.empty())) return std::nullopt;
  const auto spatial = static_cast<std::size_t>(layer.weight->rank()) - 2;
  const auto or_all = [](Ints values, std::size_t count, std::int64_t value) {
    return values.empty() ? Ints(count, value) : values;
  };
  Convolution conv;
  conv.groups = node.get_int("group", 1);
  conv.out = layer.weight->dim(0);
  conv.in = layer.weight->dim(1) * conv.groups;
  for (std::size_t axis = 0; axis < spatial; ++axis) {
    conv.kernel.push_back(layer.weight->dim(static_cast<std::int64_t>(axis) + 2));
  }
  conv.strides = or_all(node.get_ints("strides"), spatial, 1);
  conv.dilations = or_all(node.get_ints("dilations"), spatial, 1);
  conv.pads = mode == "VALID" ? Ints(2 * spatial, 0) : or_all(node.get_ints("pads"), 2 * spatial, 0);
  if (conv.groups < 1 || conv.out % conv.groups != 0 || conv.window() < 1) return std::nullopt;
  return conv;
}

/// The shape of the convolution that does both. Where a kernel has one element the other's spacing remains.
Convolution shape_of_both(const Convolution& first, const Convolution& second) {
  Convolution both;
  both.out = second.out;
  both.in = first.in;
  both.groups = std::gcd(first.groups, second.groups);
  const std::size_t spatial = first.kernel.size();
  both.pads.resize(2 * spatial);
  for (std::size_t axis = 0; axis < spatial; ++axis) {
    const std::int64_t near = first.dilations[axis], far = first.strides[axis] * second.dilations[axis];
    const std::int64_t step = second.kernel[axis] == 1 ? near : first.kernel[axis] == 1 ? far : std::gcd(near, far);
    const std::int64_t extent = (first.kernel[axis] - 1) * near + (second.kernel[axis] - 1) * far;
    both.kernel.push_back(extent / step + 1);
    both.dilations.push_back(step);
    both.strides.push_back(first.strides[axis] * second.strides[axis]);
    for (const std::size_t side : {axis, axis + spatial}) {
      both.pads[side] = first.pads[side] + first.strides[axis] * second.pads[side];
    }
  }
  return both;
}

/// Where element (a, b) of the two windows lands in that of both; all as flat places.
std::vector<std::int64_t> window_places(const Convolution& first, const Convolution& second, const Convolution& both) {
  std::vector<std::int64_t> places;
  for (std::int64_t a = 0; a < first.window(); ++a) {
    for (std::int64_t b = 0; b < second.window(); ++b) {
      std::int64_t place = 0, scale = 1, rest_a = a, rest_b = b;
      for (std::size_t axis = first.kernel.size(); axis-- > 0;) {
        const std::int64_t at_a = rest_a % first.kernel[axis], at_b = rest_b % second.kernel[axis];
        rest_a /= first.kernel[axis];
        rest_b /= second.kernel[axis];
        const std::int64_t offset = at_a * first.dilations[axis] + at_b * first.strides[axis] * second.dilations[axis];
        place += offset / both.dilations[axis] * scale;
        scale *= both.kernel[axis];
      }
      places.push_back(place);
    }
  }
  return places;
}

void multiply_weights(const Convolution& first, const Convolution& second, Convolution& both) {
  const std::int64_t middle_a_group = second.in / second.groups, in_a_group = first.in / first.groups;
  const std::int64_t both_in = both.in / both.groups, window_a = first.window(), window_b = second.window();
  const std::vector<std::int64_t> places = window_places(first, second, both);
  both.weights.assign(static_cast<std::size_t>(both.macs_a_position()), 0.0);
  for (std::int64_t out = 0; out < both.out; ++out) {
    const std::int64_t first_middle = out / (second.out / second.groups) * middle_a_group;
    const std::int64_t first_in = out / (both.out / both.groups) * both_in;
    for (std::int64_t m = 0; m < middle_a_group; ++m) {
      const std::int64_t middle = first_middle + m;
      const double* of_second = second.weights.data() + (out * middle_a_group + m) * window_b;
      for (std::int64_t i = 0; i < in_a_group; ++i) {
        const std::int64_t in = middle / (first.out / first.groups) * in_a_group + i;
        const double* of_first = first.weights.data() + (middle * in_a_group + i) * window_a;
        double* sums = both.weights.data() + (out * both_in + in - first_in) * both.window();
        for (std::int64_t a = 0; a < window_a; ++a) {
          for (std::int64_t b = 0; b < window_b; ++b) sums[places[a * window_b + b]] += of_first[a] * of_second[b];
        }
      }
    }
  }
}

/// The second's bias and what the first's becomes by passing through the second.
std::vector<double> bias_of_both(const LinearLayer& first, const LinearLayer& second, const Convolution& shape) {
  std::vector<double> bias = second.bias_values;
  const std::int64_t middle_a_group = shape.in / shape.groups;
  for (std::int64_t out = 0; out < shape.out; ++out) {
    const std::int64_t first_middle = out / (shape.out / shape.groups) * middle_a_group;
    for (std::int64_t i = 0; i < middle_a_group * shape.window(); ++i) {
      bias[static_cast<std::size_t>(out)] +=
          shape.weights[static_cast<std::size_t>(out * middle_a_group * shape.window() + i)] *
          first.bias_values[static_cast<std::size_t>(first_middle + i / shape.window())];
    }
  }
  return bias;
}

/// Positions of the first's output for one of the second's.
double positions_for_one(const RuleContext& context, const LinearLayer& first, const LinearLayer& second,
                         const Convolution& shape) {
  const auto before = context.known_shape(first.output), after = context.known_shape(second.output);
  double share = 1;
  for (std::size_t axis = 0; axis < shape.strides.size(); ++axis) {
    share *= before && after && (*after)[axis + 2] > 0
                 ? static_cast<double>((*before)[axis + 2]) / static_cast<double>((*after)[axis + 2])
                 : static_cast<double>(shape.strides[axis]);
  }
  return share;
}

std::optional<GraphEdit> merge_convolutions(const RuleContext& context, const LinearLayer& first,
                                            const LinearLayer& second) {
  const Node &before = context.node(first.id), &node = context.node(second.id);
  auto a = convolution_of(first, before), b = convolution_of(second, node);
  if (!a || !b || a->kernel.size() != b->kernel.size() || a->out != b->in) return std::nullopt;
  if (any_other(b->pads, 0) && (a->window() != 1 || !all_zero(first.bias_values))) return std::nullopt;
  Convolution both = shape_of_both(*a, *b);
  const double apart = static_cast<double>(a->macs_a_position()) * positions_for_one(context, first, second, *b) +
                       static_cast<double>(b->macs_a_position());
  if (static_cast<double>(both.macs_a_position()) >= apart) return std::nullopt;
  a->weights = to_doubles(*first.weight);
  b->weights = to_doubles(*second.weight);
  multiply_weights(*a, *b, both);
  if (!all_finite(both.weights)) return std::nullopt;
  Shape shape = {both.out, both.in / both.groups};
  shape.insert(shape.end(), both.kernel.begin(), both.kernel.end());
  GraphEdit edit(context.graph, cat(before.name, " joins ", node.name));
  std::vector<ValueId> inputs = {
      before.input(0), edit.add_constant(cat(node.name, "_weights"),
                                         from_doubles(second.weight->dtype(), std::move(shape), both.weights))};
  if (first.bias != nullptr || second.bias != nullptr) {
    inputs.push_back(edit.add_constant(
        cat(node.name, "_bias"), from_doubles(second.weight->dtype(), {both.out}, bias_of_both(first, second, *b))));
  }
  edit.replace(second.output, edit.add_node(OpKind::Conv, std::move(inputs),
                                            {{"group", both.groups},
                                             {"kernel_shape", both.kernel},
                                             {"strides", both.strides},
                                             {"dilations", both.dilations},
                                             {"pads", both.pads}},
                                            node.name));
  return edit;
}

/// The weights of a product as [in, out].
struct Matrix {
  std::int64_t in = 0, out = 0;
  std::vector<double> values;
};

Matrix matrix_of(const LinearLayer& layer, const Node& node) {
  const bool is_turned = layer.kind == OpKind::Gemm && node.get_int("transB") != 0;
  const std::int64_t order[] = {1, 0};
  const Tensor weight = is_turned ? transposed(*layer.weight, order) : *layer.weight;
  return {weight.dim(0), weight.dim(1), to_doubles(weight)};
}

/// left · right, rows of left one after the other.
std::vector<double> product(std::span<const double> left, const Matrix& right) {
  const std::int64_t rows = std::ssize(left) / std::max<std::int64_t>(1, right.in);
  std::vector<double> result(static_cast<std::size_t>(rows * right.out), 0.0);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t k = 0; k < right.in; ++k) {
      const double factor = left[static_cast<std::size_t>(row * right.in + k)];
      const double* from = right.values.data() + k * right.out;
      double* to = result.data() + row * right.out;
      for (std::int64_t j = 0; j < right.out; ++j) to[j] += factor * from[j];
    }
  }
  return result;
}

bool is_product(const LinearLayer& layer) {
  return layer.kind == OpKind::Gemm || layer.kind == OpKind::MatMul;
}

std::optional<GraphEdit> merge_products(const RuleContext& context, const LinearLayer& first,
                                        const LinearLayer& second) {
  const Node &before = context.node(first.id), &node = context.node(second.id);
  const Matrix a = matrix_of(first, before), b = matrix_of(second, node);
  if (a.out != b.in || a.in * b.out >= a.in * a.out + b.in * b.out) return std::nullopt;
  const bool has_bias = first.bias != nullptr || second.bias != nullptr;
  if (has_bias && first.rank != 2) return std::nullopt;
  const std::vector<double> weights = product(a.values, b);
  if (!all_finite(weights)) return std::nullopt;
  const DType dtype = second.weight->dtype();
  GraphEdit edit(context.graph, cat(before.name, " joins ", node.name));
  std::vector<ValueId> inputs = {
      before.input(0), edit.add_constant(cat(node.name, "_weights"), from_doubles(dtype, {a.in, b.out}, weights))};
  if (has_bias) {
    std::vector<double> bias = product(first.bias_values, b);
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += second.bias_values[i];
    inputs.push_back(edit.add_constant(cat(node.name, "_bias"), from_doubles(dtype, {b.out}, bias)));
  }
  const OpKind kind = has_bias ? OpKind::Gemm : OpKind::MatMul;
  edit.replace(second.output, edit.add_node(kind, std::move(inputs), {}, node.name));
  return edit;
}

std::optional<GraphEdit> merge_linear(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const auto first = linear_layer_before(context, node.input(0));
  if (!first || first->kind == OpKind::ConvTranspose) return std::nullopt;
  const auto second = linear_layer(context, id);
  if (!second || first->weight->dtype() != second->weight->dtype()) return std::nullopt;
  if (is_product(*first) && is_product(*second)) return merge_products(context, *first, *second);
  return merge_convolutions(context, *first, *second);
}

}  // namespace

std::vector<Rule> merge_linear_rules() {
  return {{"merge-linear", Exactness::Rounding, {OpKind::Conv, OpKind::Gemm, OpKind::MatMul}, merge_linear}};
}

}  // namespace adze::rewrite
