#include "adze/engine/arrange.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "adze/base/text.h"
#include "adze/engine/arrange_movement.h"
#include "adze/engine/followers.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/signs.h"
#include "adze/engine/steps/sums_s8.h"
#include "adze/plan/coded_weights.h"

namespace adze::engine {

namespace {

std::optional<Shape> known_shape(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return std::nullopt;
  const ValueType& type = graph.value(id).type;
  return type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
}

ValueType permuted(const ValueType& type, const std::vector<std::int64_t>& perm) {
  SymbolicShape shape;
  for (const std::int64_t axis : perm) shape.push_back((*type.shape)[static_cast<std::size_t>(axis)]);
  return ValueType::tensor(type.dtype, std::move(shape));
}

/// A constant that broadcasts against [N, C, spatial…], for [N, spatial…, C].
Tensor permuted_constant(const Tensor& tensor, std::size_t rank) {
  Shape shape = tensor.shape();
  shape.insert(shape.begin(), rank - shape.size(), 1);
  const auto perm = to_channels_last(rank);
  Shape to_shape;
  for (const std::int64_t axis : perm) to_shape.push_back(shape[static_cast<std::size_t>(axis)]);
  const Shape from_strides = row_major_strides(shape);
  const Shape to_strides = row_major_strides(to_shape);
  Tensor result(tensor.dtype(), to_shape);
  const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype()) / 8);
  const auto from = tensor.bytes();
  const auto to = result.mutable_bytes();
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    std::int64_t source = 0, rest = i;
    for (std::size_t d = 0; d < rank; ++d) {
      source += rest / to_strides[d] * from_strides[static_cast<std::size_t>(perm[d])];
      rest %= to_strides[d];
    }
    std::copy_n(from.begin() + source * static_cast<std::int64_t>(width), width,
                to.begin() + i * static_cast<std::int64_t>(width));
  }
  return result;
}

bool is_layout_free(const Node& node) {
  switch (node.kind) {
    case OpKind::QAdd:
    case OpKind::QSub:
    case OpKind::QMul:
    case OpKind::QRequantize:
      return true;
    default:
      return op_info(node.kind).op_class == OpClass::Elementwise && node.outputs.size() == 1;
  }
}

class Arranger {
 public:
  Arranger(const Graph& graph, bool fuse)
      : from_(graph),
        fuse_(fuse),
        followers_(graph, result_.graph, [this](ValueId id) { return id == ValueId::None ? id : at(last_, id); }) {
    const auto count = static_cast<std::size_t>(graph.num_values());
    plain_.assign(count, ValueId::None);
    last_.assign(count, ValueId::None);
  }

  Arranged make() {
    result_.graph.name = from_.name;
    result_.graph.metadata = from_.metadata;
    result_.graph.source_file = from_.source_file;
    for (const ValueId id : from_.inputs()) {
      at(plain_, id) = note(result_.graph.add_input(from_.value(id).name, from_.value(id).type), id, false);
    }
    for (const NodeId id : topological_order(from_)) {
      if (!followers_.taken(id)) add(id);
    }
    for (const ValueId id : from_.outputs()) result_.graph.add_output(plain(id));
    result_.value_origins.resize(static_cast<std::size_t>(result_.graph.num_values()));
    result_.node_origins.resize(static_cast<std::size_t>(result_.graph.num_nodes()), NodeId::None);
    return std::move(result_);
  }

 private:
  static ValueId& at(std::vector<ValueId>& map, ValueId id) { return map[static_cast<std::size_t>(id)]; }

  ValueId note(ValueId id, ValueId origin, bool channels_last) {
    const auto index = static_cast<std::size_t>(id);
    if (result_.value_origins.size() <= index) result_.value_origins.resize(index + 1);
    result_.value_origins[index] = {origin, channels_last};
    return id;
  }

  void add_node(Node node, NodeId origin) {
    const auto id = static_cast<std::size_t>(result_.graph.add_node(std::move(node)));
    if (result_.node_origins.size() <= id) result_.node_origins.resize(id + 1, NodeId::None);
    result_.node_origins[id] = origin;
  }

  ValueId transposed(ValueId value, std::vector<std::int64_t> perm, const ValueType& type, const std::string& name) {
    const ValueId output = result_.graph.add_value(name, type);
    Node node;
    node.kind = OpKind::Transpose;
    node.name = name;
    node.inputs = {value};
    node.outputs = {output};
    node.set("perm", std::move(perm));
    add_node(std::move(node), NodeId::None);
    return output;
  }

  /// The value as the given graph has it.
  ValueId plain(ValueId id) {
    if (id == ValueId::None) return id;
    ValueId& place = at(plain_, id);
    if (place != ValueId::None) return place;
    const Value& value = from_.value(id);
    if (value.constant) return place = result_.graph.add_constant(value.name, *value.constant);
    if (at(last_, id) == ValueId::None) throw InternalError(cat("value ", value.name, " is read before it is made"));
    const std::size_t rank = value.type.shape->size();
    return place = transposed(at(last_, id), to_channels_first(rank), value.type, value.name + "@first");
  }

  ValueId channels_last(ValueId id) {
    ValueId& place = at(last_, id);
    if (place != ValueId::None) return place;
    const Value& value = from_.value(id);
    const auto perm = to_channels_last(value.type.shape->size());
    return place = transposed(plain(id), perm, permuted(value.type, perm), value.name + "@last");
  }

  /// Exists with channels last, and was not made so from the plain form.
  bool is_channels_last(ValueId id) { return id != ValueId::None && at(last_, id) != ValueId::None; }

  void add(NodeId id) {
    Node node = from_.node(id);
    bool last = false;
    if (prefers_channels_last(from_, node)) {
      node.inputs[0] = channels_last(node.inputs[0]);
      for (std::size_t i = 1; i < node.inputs.size(); ++i) node.inputs[i] = plain(node.inputs[i]);
      node.set("channels_last", std::int64_t{1});
      last = true;
    } else if (follows_layout(node)) {
      last = true;
    } else {
      for (ValueId& input : node.inputs) input = plain(input);
      remap_captures(node);
    }
    if (fuse_ && !binders_of(node.kind).empty()) {
      followers_.take(node, id);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId output = node.outputs[i];
      if (output != ValueId::None) node.outputs[i] = make_output(output, last && i == 0);
    }
    add_node(std::move(node), id);
  }

  ValueId make_output(ValueId id, bool last) {
    const Value& value = from_.value(id);
    last = last && value.type.shape->size() >= 3;  // a reduction to [N, C] is the same in both layouts
    ValueType type = last ? permuted(value.type, to_channels_last(value.type.shape->size())) : value.type;
    const ValueId made = result_.graph.add_value(value.name, std::move(type));
    at(last ? last_ : plain_, id) = made;
    return note(made, id, last);
  }

  void remap_captures(Node& node) {
    for (auto& [name, attribute] : node.attributes) {
      if (auto* subgraph = std::get_if<Subgraph>(&attribute)) {
        for (ValueId& captured : subgraph->captured) captured = plain(captured);
      }
    }
  }

  /// Nodes that work in either layout run in the one that their inputs have: turns the node's inputs and attributes.
  bool follows_layout(Node& node) {
    const auto shape = known_shape(from_, node.output());
    if (!shape ||
        !std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return is_channels_last(id); })) {
      return false;
    }
    const std::size_t rank =
        from_.value(node.inputs[0]).type.shape ? from_.value(node.inputs[0]).type.shape->size() : 0;
    if (node.kind == OpKind::ReduceMean || node.kind == OpKind::QReduceMean) return follow_mean(node, rank);
    if (shape->size() < 3) return false;
    if (node.kind == OpKind::DynamicQuantizeLinear) {  // its other results are numbers
      node.inputs[0] = channels_last(node.inputs[0]);
      return true;
    }
    if (is_layout_free(node)) return follow_elementwise(node, shape->size());
    if (node.kind == OpKind::Concat) return follow_concat(node, rank);
    if (const auto operands = channels_last_operands(from_, node, static_cast<std::int64_t>(rank))) {
      return follow_movement(node, *operands);
    }
    if (node.kind == OpKind::BatchNormalization) return follow_batch_normalization(node);
    if (node.kind == OpKind::QuantizeLinear || node.kind == OpKind::DequantizeLinear) return follow_scales(node);
    return false;
  }

  bool follow_elementwise(Node& node, std::size_t rank) {
    const std::size_t data_inputs = node.kind == OpKind::QTable ? 1 : node.inputs.size();
    for (std::size_t i = 0; i < data_inputs; ++i) {
      if (node.inputs[i] == ValueId::None) continue;
      const auto shape = known_shape(from_, node.inputs[i]);
      const Tensor* constant = from_.constant(node.inputs[i]);
      if (!shape ||
          (shape->size() != rank && (constant == nullptr || shape->size() > rank) && num_elements(*shape) != 1)) {
        return false;
      }
      if (constant != nullptr && constant->size() != 1 && dtype_bits(constant->dtype()) < 8) return false;
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      ValueId& input = node.inputs[i];
      if (input == ValueId::None) continue;
      const Tensor* constant = from_.constant(input);
      const bool single = i >= data_inputs || num_elements(*known_shape(from_, input)) == 1;
      if (constant != nullptr && !single) {
        input = result_.graph.add_constant(from_.value(input).name + "@last", permuted_constant(*constant, rank));
      } else if (single && from_.value(input).type.shape->size() != rank) {
        input = plain(input);
      } else {
        input = constant != nullptr ? plain(input) : channels_last(input);
      }
    }
    return true;
  }

  bool follow_concat(Node& node, std::size_t rank) {
    for (const ValueId input : node.inputs) {
      if (from_.constant(input) != nullptr || !known_shape(from_, input)) return false;
    }
    node.set("axis", moved_axis(node.get_int("axis"), static_cast<std::int64_t>(rank)));
    for (ValueId& input : node.inputs) input = channels_last(input);
    return true;
  }

  bool follow_movement(Node& node, const std::map<std::size_t, Tensor>& operands) {
    if (!is_channels_last(node.inputs[0])) return false;
    const std::string name = node.name;
    node.inputs[0] = channels_last(node.inputs[0]);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) node.inputs[i] = plain(node.inputs[i]);
    for (const auto& [i, tensor] : operands) {
      if (node.inputs.size() <= i) node.inputs.resize(i + 1, ValueId::None);
      node.inputs[i] = result_.graph.add_constant(cat(name, "@last", i), tensor);
    }
    return true;
  }

  bool follow_batch_normalization(Node& node) {
    for (std::size_t i = 1; i < 5; ++i) {
      if (from_.constant(node.input(i)) == nullptr || from_.value(node.inputs[i]).type.dtype != DType::F32)
        return false;
    }
    const bool bound = from_.value(node.inputs[0]).type.dtype == DType::F32 && node.outputs.size() == 1 &&
                       node.get_int("training_mode") == 0 && is_channels_last(node.inputs[0]);
    if (!bound) return false;
    node.inputs[0] = channels_last(node.inputs[0]);
    for (std::size_t i = 1; i < 5; ++i) node.inputs[i] = plain(node.inputs[i]);
    node.set("channels_last", std::int64_t{1});
    return true;
  }

  bool follow_scales(Node& node) {
    const Tensor* scale = from_.constant(node.input(1));
    if (scale == nullptr || node.get_int("block_size", 0) != 0 || !is_channels_last(node.inputs[0])) return false;
    if (scale->size() != 1) {
      const auto rank = static_cast<std::int64_t>(from_.value(node.inputs[0]).type.shape->size());
      node.set("axis", moved_axis(node.get_int("axis"), rank));
    }
    node.inputs[0] = channels_last(node.inputs[0]);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) node.inputs[i] = plain(node.inputs[i]);
    return true;
  }

  /// A mean over all spatial axes.
  bool follow_mean(Node& node, std::size_t rank) {
    if (rank < 3 || !is_channels_last(node.inputs[0])) return false;
    std::vector<std::int64_t> axes = node.get_ints("axes");
    if (node.kind == OpKind::ReduceMean) {
      const Tensor* tensor = from_.constant(node.input(1));
      if (tensor == nullptr) return false;
      axes = to_ints(*tensor);
    }
    for (std::int64_t& axis : axes) axis = normalize_axis(axis, static_cast<std::int64_t>(rank));
    std::sort(axes.begin(), axes.end());
    if (axes.size() != rank - 2 || axes.front() != 2 || axes.back() != static_cast<std::int64_t>(rank) - 1)
      return false;
    for (std::int64_t& axis : axes) axis -= 1;
    node.inputs[0] = channels_last(node.inputs[0]);
    if (node.kind == OpKind::ReduceMean) {
      node.inputs[1] = result_.graph.add_constant(from_.value(node.inputs[1]).name + "@last", Tensor::ints(axes));
    } else {
      node.set("axes", axes);
    }
    return true;
  }

  const Graph& from_;
  bool fuse_;
  Arranged result_;
  Followers followers_;
  std::vector<ValueId> plain_, last_;
};

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

}  // namespace

Arranged arrange(const Graph& graph, bool fuse) {
  return Arranger(graph, fuse).make();
}

std::vector<std::int64_t> to_channels_last(std::size_t rank) {
  std::vector<std::int64_t> perm = {0};
  for (std::size_t i = 2; i < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
  perm.push_back(1);
  return perm;
}

std::vector<std::int64_t> to_channels_first(std::size_t rank) {
  std::vector<std::int64_t> perm = {0, static_cast<std::int64_t>(rank) - 1};
  for (std::size_t i = 1; i + 1 < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
  return perm;
}

bool prefers_channels_last(const Graph& graph, const Node& node) {
  if (binders_of(node.kind).empty()) return false;
  if (node.inputs.empty() || node.outputs.size() != 1) return false;
  const auto x = known_shape(graph, node.inputs[0]);
  const auto y = known_shape(graph, node.output());
  if (!x || !y || (x->size() != 3 && x->size() != 4) || num_elements(*x) == 0 || num_elements(*y) == 0) return false;
  const DType dtype = graph.value(node.inputs[0]).type.dtype;
  const auto constant = [&](std::size_t i, DType wanted) {
    const Tensor* tensor = graph.constant(node.input(i));
    return tensor != nullptr && tensor->dtype() == wanted && tensor->size() > 0;
  };
  switch (node.kind) {
    case OpKind::Conv:
      return dtype == DType::F32 && constant(1, DType::F32) &&
             (node.input(2) == ValueId::None || constant(2, DType::F32));
    case OpKind::QConv:
      if (node.has(signs_attribute)) return true;
      if (node.get_int("w_zero_point", 0) != 0 || constant(1, DType::U8))
        return centred_weights(graph, node).has_value();
      return is_byte(dtype) && is_byte(graph.value(node.output()).type.dtype) && constant(1, DType::S8) &&
             (node.input(2) == ValueId::None || constant(2, DType::S32));
    case OpKind::QGemm:
      return node.has(coded_attribute) && node.get_int("axis") == 1;
    case OpKind::ConvInteger:
      return centred_weights(graph, node).has_value();
    case OpKind::MaxPool:
      return dtype == DType::F32 || is_byte(dtype);
    case OpKind::AveragePool:
      return dtype == DType::F32 && node.get_int("ceil_mode") == 0;
    case OpKind::GlobalAveragePool:
      return dtype == DType::F32;
    case OpKind::QAveragePool:
      return node.get_int("ceil_mode") == 0 && is_byte(dtype) && is_byte(graph.value(node.output()).type.dtype);
    default:
      return false;
  }
}

}  // namespace adze::engine
