#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "adze/base/text.h"
#include "adze/graph/edit.h"
#include "adze/plan/coded_weights.h"

namespace adze {

namespace {

/// Smaller matrices of 8 bits are as fast in floats, and cost little.
constexpr std::int64_t least_elements = 1 << 14;

/// A product whose weights may be codes.
struct Product {
  NodeId id = NodeId::None;
  ValueId weights = ValueId::None;
  std::int64_t axis = -1;
  bool turned = false;
  ValueId bias = ValueId::None;  ///< a constant of `columns` elements, or one
  NodeId add = NodeId::None;     ///< the sum behind a MatMul that brings it
};

bool all_equal(const std::vector<std::int64_t>& values, std::int64_t value) {
  return std::all_of(values.begin(), values.end(), [value](std::int64_t v) { return v == value; });
}

bool is_float_matrix(const Graph& graph, ValueId id, std::size_t least_rank) {
  const ValueType& type = graph.value(id).type;
  return type.dtype == DType::F32 && type.shape && type.shape->size() >= least_rank;
}

/// The Add of a constant row that alone reads the product.
void find_sum(const Graph& graph, const Uses& uses, Product& product) {
  const ValueId output = graph.node(product.id).output();
  if (!uses.single(output)) return;
  const NodeId reader = uses.of(output)[0];
  const Node& add = graph.node(reader);
  if (add.kind != OpKind::Add) return;
  const ValueId other = add.input(add.input(0) == output ? 1 : 0);
  const Tensor* bias = graph.constant(other);
  if (bias == nullptr || bias->dtype() != DType::F32 || bias->rank() == 0 || bias->shape().back() != bias->size())
    return;
  const auto& shape = graph.value(output).type.shape;
  if (!shape || bias->rank() > static_cast<std::int64_t>(shape->size()) || shape->back().value != bias->size()) return;
  product.bias = other;
  product.add = reader;
}

std::optional<Product> product_of(const Graph& graph, const Uses& uses, NodeId id) {
  const Node& node = graph.node(id);
  Product product{id, node.input(1), -1, false, ValueId::None, NodeId::None};
  switch (node.kind) {
    case OpKind::MatMul:
      if (!is_float_matrix(graph, node.input(0), 2)) return std::nullopt;
      find_sum(graph, uses, product);
      return product;
    case OpKind::Gemm: {
      const bool plain = node.get_float("alpha") == 1.0f && node.get_int("transA") == 0 &&
                         (node.input(2) == ValueId::None || node.get_float("beta") == 1.0f);
      if (!plain || !is_float_matrix(graph, node.input(0), 2)) return std::nullopt;
      product.turned = node.get_int("transB") != 0;
      product.bias = node.input(2);
      return product;
    }
    case OpKind::Conv: {
      const auto padding = node.get_string("auto_pad");
      const bool plain = node.get_int("group") == 1 && all_equal(node.get_ints("strides"), 1) &&
                         all_equal(node.get_ints("pads"), 0) && all_equal(node.get_ints("dilations"), 1) &&
                         (padding.empty() || padding == "NOTSET" || padding == "VALID");
      if (!plain || !is_float_matrix(graph, node.input(0), 3)) return std::nullopt;
      product.axis = 1;
      product.turned = true;
      product.bias = node.input(2);
      return product;
    }
    default:
      return std::nullopt;
  }
}

/// What weights are made of, as matrices of a coded product.
struct Codes {
  Tensor codes;
  std::optional<Tensor> scales, zero_points, table;
  std::int64_t block = 1;
};

/// A matrix, or a convolution's weights of 1x1 as one.
std::optional<Shape> matrix_shape(const Tensor& tensor, bool is_conv) {
  const Shape& shape = tensor.shape();
  if (!is_conv) return shape.size() == 2 ? std::optional(shape) : std::nullopt;
  if (shape.size() < 3 || !std::all_of(shape.begin() + 2, shape.end(), [](std::int64_t d) { return d == 1; }))
    return std::nullopt;
  return Shape{shape[0], shape[1]};
}

/// One number, one for each column, or one for each block and column, as [blocks][columns] (or turned).
std::optional<Tensor> spread(const Tensor& given, const Shape& shape, std::int64_t from_axis,
                             std::int64_t column_axis) {
  if (given.rank() >= 2)
    return given.size() == num_elements(shape) ? std::optional(given.reshaped(shape)) : std::nullopt;
  Shape to = shape;
  to[static_cast<std::size_t>(1 - column_axis)] = 1;
  if (given.size() == num_elements(to) && given.size() > 1) {
    if (from_axis != column_axis) return std::nullopt;
    return given.reshaped(to);
  }
  if (given.size() != 1) return std::nullopt;
  const DType dtype =
      dtype_bits(given.dtype()) < 8 ? (given.dtype() == DType::S4 ? DType::S8 : DType::U8) : given.dtype();
  Tensor result(dtype, to);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    dtype == DType::F32 ? result.set_double(i, given.get_double(0)) : result.set_int(i, given.get_int(0));
  }
  return result;
}

bool takes_few_values(const Tensor& codes) {
  if (dtype_bits(codes.dtype()) <= 4) return true;
  std::set<std::int16_t> seen;
  for (const std::int16_t code : widened_codes(codes)) {
    if (seen.insert(code).second && *seen.rbegin() - *seen.begin() > 15) return false;
  }
  return true;
}

/// Of a product, whose codes have this shape as a matrix.
struct Sides {
  Sides(const Product& product, Shape of_codes) : shape(std::move(of_codes)), columns(product.turned ? 0 : 1) {}
  Shape shape;
  std::int64_t columns;  ///< their axis
  std::int64_t depth() const { return shape[static_cast<std::size_t>(1 - columns)]; }
  Shape scale_shape(std::int64_t blocks) const {
    Shape result = shape;
    result[static_cast<std::size_t>(1 - columns)] = blocks;
    return result;
  }
};

bool is_float8(DType dtype) {
  return is_float(dtype) && dtype_bits(dtype) == 8;
}

std::optional<Codes> dequantized(const Graph& graph, const Product& product, const Node& node) {
  const Tensor* codes = graph.constant(node.input(0));
  const Tensor* scales = graph.constant(node.input(1));
  const Tensor* zero_points = graph.constant(node.input(2));
  if (codes == nullptr || scales == nullptr || scales->dtype() != DType::F32 || scales->empty()) return std::nullopt;
  if (node.input(2) != ValueId::None && zero_points == nullptr) return std::nullopt;
  const DType dtype = codes->dtype();
  const bool integer = is_integer(dtype) && dtype_bits(dtype) <= 8;
  if (!integer && !is_float8(dtype)) return std::nullopt;
  const auto shape = matrix_shape(*codes, product.axis == 1);
  if (!shape || num_elements(*shape) == 0) return std::nullopt;
  const Sides sides(product, *shape);
  const std::int64_t given_block = node.get_int("block_size"), axis = node.get_int("axis");
  const std::int64_t from_axis = axis < 0 ? axis + codes->rank() : axis;
  Codes result{codes->reshaped(*shape), {}, {}, {}, sides.depth()};
  if (given_block > 0) {
    if (from_axis != 1 - sides.columns) return std::nullopt;
    result.block = given_block;
  } else if (integer && !takes_few_values(*codes) && (product.axis == 1 || codes->size() < least_elements)) {
    return std::nullopt;
  }
  const Shape scale_shape = sides.scale_shape((sides.depth() - 1) / result.block + 1);
  result.scales = spread(*scales, scale_shape, from_axis, sides.columns);
  if (!result.scales) return std::nullopt;
  if (zero_points == nullptr) return result;
  if (!integer) {
    const bool zero = std::ranges::all_of(zero_points->bytes(), [](std::byte b) { return b == std::byte{0}; });
    return zero ? std::optional(result) : std::nullopt;
  }
  result.zero_points = spread(*zero_points, scale_shape, from_axis, sides.columns);
  return result.zero_points ? std::optional(result) : std::nullopt;
}

/// Half floats that are only stored as such.
std::optional<Codes> stored_halves(const Graph& graph, const Product& product, const Node& node) {
  const Tensor* codes = graph.constant(node.input(0));
  if (codes == nullptr || (codes->dtype() != DType::F16 && codes->dtype() != DType::BF16)) return std::nullopt;
  if (product.axis == 1) return std::nullopt;  // many pixels: floats multiply faster, and such weights are small
  const auto shape = matrix_shape(*codes, false);
  if (!shape || num_elements(*shape) == 0 || graph.value(node.output()).type.dtype != DType::F32) return std::nullopt;
  return Codes{codes->reshaped(*shape), {}, {}, {}, Sides(product, *shape).depth()};
}

/// Indices into a table of at most 256 numbers, as u8 or u4.
std::optional<Tensor> small_indices(const Graph& graph, ValueId id, std::int64_t table_size) {
  const Node* cast = graph.producer_of(id);
  const Tensor* given = graph.constant(cast != nullptr && cast->kind == OpKind::Cast ? cast->input(0) : id);
  if (given == nullptr || !is_integer(given->dtype()) || given->empty()) return std::nullopt;
  const bool stays = given->dtype() == DType::U4 || given->dtype() == DType::U8;
  Tensor result = stays ? *given : Tensor(DType::U8, given->shape());
  for (std::int64_t i = 0; i < given->size(); ++i) {
    const std::int64_t index = given->get_int(i);
    if (index < 0 || index >= table_size) return std::nullopt;
    if (!stays) result.set_int(i, index);
  }
  return result;
}

/// A codebook: Gather from a table, by a scale for all or one for each column.
std::optional<Codes> looked_up(const Graph& graph, const Product& product, const Node& node, const Tensor* scales) {
  const Tensor* table = graph.constant(node.input(0));
  if (table == nullptr || table->dtype() != DType::F32 || table->rank() != 1 || node.get_int("axis") != 0 ||
      table->size() < 2 || table->size() > 256) {
    return std::nullopt;
  }
  const auto indices = small_indices(graph, node.input(1), table->size());
  if (!indices) return std::nullopt;
  const auto shape = matrix_shape(*indices, product.axis == 1);
  if (!shape) return std::nullopt;
  const Sides sides(product, *shape);
  Codes result{indices->reshaped(*shape), {}, {}, *table, sides.depth()};
  if (scales == nullptr) return result;
  if (scales->dtype() != DType::F32 || scales->rank() > indices->rank()) return std::nullopt;
  const std::int64_t from_end = scales->rank() - (indices->rank() - sides.columns);  // the axis of columns in scales
  if (scales->size() == 1) {
    result.scales = spread(*scales, sides.scale_shape(1), 0, sides.columns);
  } else if (from_end >= 0 && scales->size() == scales->dim(from_end)) {
    result.scales = spread(scales->reshaped({scales->size()}), sides.scale_shape(1), sides.columns, sides.columns);
  }
  return result.scales ? std::optional(result) : std::nullopt;
}

std::optional<Codes> codes_of(const Graph& graph, const Product& product) {
  const Node* node = graph.producer_of(product.weights);
  if (node == nullptr) return std::nullopt;
  switch (node->kind) {
    case OpKind::DequantizeLinear:
      return dequantized(graph, product, *node);
    case OpKind::Cast:
      return stored_halves(graph, product, *node);
    case OpKind::Gather:
      return looked_up(graph, product, *node, nullptr);
    case OpKind::Mul:
      for (const std::size_t side : {0, 1}) {
        const Node* gather = graph.producer_of(node->input(side));
        const Tensor* scales = graph.constant(node->input(1 - side));
        if (gather != nullptr && gather->kind == OpKind::Gather && scales != nullptr)
          return looked_up(graph, product, *gather, scales);
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

/// The bias with one element for each column, or nothing where it is something else.
std::optional<Tensor> bias_of(const Graph& graph, ValueId id, std::int64_t columns) {
  const Tensor* bias = graph.constant(id);
  if (bias == nullptr || bias->dtype() != DType::F32) return std::nullopt;
  if (bias->size() != 1 && (bias->size() != columns || bias->shape().back() != columns)) return std::nullopt;
  Tensor result(DType::F32, {columns});
  for (std::int64_t j = 0; j < columns; ++j) result.set_double(j, bias->get_double(bias->size() == 1 ? 0 : j));
  return result;
}

constexpr const char* mark = "kept_codes";
constexpr const char* marked_bits = "kept_input_bits";

/// A product that can take its weights' codes, and what it becomes.
struct Found {
  Product product;
  Codes codes;
  std::optional<Tensor> bias;
};

std::vector<Found> coded_products(const Graph& graph) {
  const Uses uses(graph);
  std::vector<Found> result;
  for (const NodeId id : topological_order(graph)) {
    const auto product = product_of(graph, uses, id);
    if (!product) continue;
    const auto codes = codes_of(graph, *product);
    if (!codes) continue;
    std::optional<Tensor> bias;
    if (product->bias != ValueId::None) {
      bias = bias_of(graph, product->bias, codes->codes.dim(product->turned ? 0 : 1));
      if (!bias) continue;
    }
    result.push_back({*product, *codes, std::move(bias)});
  }
  return result;
}

void join(Graph& graph, const Found& found, std::int64_t input_bits) {
  const Product& product = found.product;
  const auto constant = [&](std::string_view what, const Tensor& tensor) {
    return graph.add_constant(graph.unique_name(cat(graph.value(product.weights).name, "/", what)), tensor);
  };
  Node node;
  node.kind = OpKind::QGemm;
  node.name = graph.node(product.id).name;
  node.inputs = {graph.node(product.id).input(0), constant("codes", found.codes.codes)};
  const auto add = [&](std::string_view what, const std::optional<Tensor>& tensor) {
    node.inputs.push_back(tensor ? constant(what, *tensor) : ValueId::None);
  };
  add("scales", found.codes.scales);
  add("zero_points", found.codes.zero_points);
  add("bias", found.bias);
  add("table", found.codes.table);
  while (node.inputs.back() == ValueId::None) node.inputs.pop_back();
  const NodeId last = product.add != NodeId::None ? product.add : product.id;
  node.outputs = {graph.node(last).output()};
  node.set(coded_attribute, std::int64_t{1});
  node.set("axis", product.axis);
  node.set("block", found.codes.block);
  node.set("input_bits", input_bits);
  node.set("turned", std::int64_t{product.turned});
  if (last != product.id) graph.remove_node(last);
  graph.remove_node(product.id);
  graph.add_node(std::move(node));
}

}  // namespace

void mark_codes(Graph& graph, int input_bits) {
  const Uses uses(graph);
  std::map<ValueId, std::size_t> takers;
  for (const Found& found : coded_products(graph)) ++takers[found.product.weights];
  for (const auto& [weights, count] : takers) {
    const bool is_output = std::ranges::find(graph.outputs(), weights) != graph.outputs().end();
    if (is_output || uses.of(weights).size() != count) continue;
    Node& node = graph.node(graph.value(weights).producer);
    node.set(mark, std::int64_t{1});
    node.set(marked_bits, std::int64_t{input_bits});
    // The indices of a codebook.
    std::vector<ValueId> behind = node.inputs;
    for (std::size_t i = 0; i < behind.size(); ++i) {
      const ValueId producer = behind[i];
      if (graph.producer_of(producer) == nullptr || !uses.single(producer)) continue;
      Node& maker = graph.node(graph.value(producer).producer);
      if (maker.kind != OpKind::Gather && maker.kind != OpKind::Cast) continue;
      maker.set(mark, std::int64_t{1});
      behind.insert(behind.end(), maker.inputs.begin(), maker.inputs.end());
    }
  }
}

bool has_marked_codes(const Node& node) {
  return node.has(mark);
}

Graph join_codes(Graph graph) {
  const auto ids = graph.node_ids();
  if (std::none_of(ids.begin(), ids.end(), [&](NodeId id) { return has_marked_codes(graph.node(id)); })) return graph;
  for (const Found& found : coded_products(graph)) {
    const Node& weights = *graph.producer_of(found.product.weights);
    if (has_marked_codes(weights)) join(graph, found, weights.get_int(marked_bits));
  }
  remove_dead_nodes(graph);
  return graph;
}

}  // namespace adze
