#include "adze/emit/c/arrange.h"

#include <cstring>
#include <map>

#include "adze/base/text.h"

namespace adze::emit {

std::vector<std::int64_t> to_channels_last(std::size_t rank) {
  std::vector<std::int64_t> perm{0};
  for (std::size_t i = 2; i < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
  perm.push_back(1);
  return perm;
}

std::vector<std::int64_t> to_channels_first(std::size_t rank) {
  std::vector<std::int64_t> perm{0, static_cast<std::int64_t>(rank) - 1};
  for (std::size_t i = 1; i + 1 < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
  return perm;
}

Tensor transposed(const Tensor& tensor, const std::vector<std::int64_t>& perm) {
  Shape shape, steps;
  const Shape strides = row_major_strides(tensor.shape());
  for (const std::int64_t axis : perm) {
    shape.push_back(tensor.dim(axis));
    steps.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  Tensor result(tensor.dtype(), shape);
  const std::size_t bytes = tensor.empty() ? 0 : tensor.bytes().size() / static_cast<std::size_t>(tensor.size());
  const auto from = tensor.bytes();
  const auto to = result.mutable_bytes();
  Shape index(shape.size(), 0);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.size()); ++i) {
    std::memcpy(to.data() + i * bytes, from.data() + static_cast<std::size_t>(offset) * bytes, bytes);
    for (std::size_t d = shape.size(); d-- > 0;) {
      offset += steps[d];
      if (++index[d] < shape[d]) break;
      offset -= steps[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

bool is_channels_last(const Node& node) {
  return node.get_int("channels_last", 0) != 0;
}

std::size_t stored_axis(const Node& node, std::int64_t axis, std::size_t rank) {
  const auto logical = static_cast<std::size_t>(normalize_axis(axis, static_cast<std::int64_t>(rank)));
  if (!is_channels_last(node) || logical == 0) return logical;
  return logical == 1 ? rank - 1 : logical - 1;
}

namespace {

/// How a node meets channels-last operands.
enum class Habit {
  Spatial,   ///< wants input 0 with channels last, gives its output so
  Anything,  ///< takes its operands as they lie
  Plain,     ///< wants the graph's order
};

Habit habit_of(OpKind kind) {
  switch (kind) {
    case OpKind::QConv:
    case OpKind::Conv:
    case OpKind::QAveragePool:
    case OpKind::AveragePool:
    case OpKind::MaxPool:
    case OpKind::GlobalAveragePool:
    case OpKind::Resize:
      return Habit::Spatial;
    case OpKind::QReduceMean:
    case OpKind::QSoftmax:
    case OpKind::Softmax:
    case OpKind::Concat:
    case OpKind::Pad:
    case OpKind::Slice:
    case OpKind::Split:
    case OpKind::QAdd:
    case OpKind::QSub:
    case OpKind::QMul:
    case OpKind::QuantizeLinear:
    case OpKind::DequantizeLinear:
      return Habit::Anything;
    default:
      return op_info(kind).op_class == OpClass::Elementwise ? Habit::Anything : Habit::Plain;
  }
}

class Arranger {
 public:
  Arranger(const Graph& graph, bool nhwc) : from_(graph), nhwc_(nhwc) {
    to_.name = graph.name;
    to_.metadata = graph.metadata;
    to_.source_file = graph.source_file;
  }

  Graph run() {
    for (const ValueId id : from_.inputs()) {
      const bool last = nhwc_ && rank_of(id) == 4;
      made_[{id, last}] = to_.add_input(from_.value(id).name, stored_type(id, last));
      made_as_[id] = last;
    }
    for (const NodeId id : topological_order(from_)) add(from_.node(id));
    for (const ValueId id : from_.outputs()) to_.add_output(value(id, nhwc_ && rank_of(id) == 4));
    return std::move(to_);
  }

 private:
  std::size_t rank_of(ValueId id) const {
    const Value& value = from_.value(id);
    if (value.constant) return value.constant->shape().size();
    return value.type.shape ? value.type.shape->size() : 0;
  }

  ValueType stored_type(ValueId id, bool last) const {
    ValueType type = from_.value(id).type;
    if (!last || !type.shape) return type;
    SymbolicShape shape;
    for (const std::int64_t axis : to_channels_last(type.shape->size())) {
      shape.push_back((*type.shape)[static_cast<std::size_t>(axis)]);
    }
    type.shape = shape;
    return type;
  }

  /// The value in the order wanted; a Transpose is added when it lies in the other.
  ValueId value(ValueId id, bool last) {
    if (id == ValueId::None) return id;
    if (const auto found = made_.find({id, last}); found != made_.end()) return found->second;
    const std::size_t rank = rank_of(id);
    if (const Tensor* constant = from_.constant(id)) {
      const Tensor tensor = last ? transposed(*constant, to_channels_last(rank)) : *constant;
      return made_[{id, last}] = to_.add_constant(to_.unique_name(from_.value(id).name), tensor);
    }
    const ValueId other = made_.at({id, !last});
    Node node;
    node.kind = OpKind::Transpose;
    const std::string name = to_.unique_name(cat(from_.value(id).name, last ? "/nhwc" : "/nchw"));
    node.name = name;
    node.inputs = {other};
    node.outputs = {to_.add_value(name, stored_type(id, last))};
    node.set("perm", last ? to_channels_last(rank) : to_channels_first(rank));
    const ValueId result = node.outputs[0];
    to_.add_node(std::move(node));
    return made_[{id, last}] = result;
  }

  /// Constants of lower rank broadcast from the right: give them the full rank before they are turned.
  ValueId operand(ValueId id, std::size_t rank, bool last) {
    if (!last || id == ValueId::None || rank_of(id) == rank) return value(id, last);
    const Tensor* constant = from_.constant(id);
    if (constant == nullptr || constant->size() == 1) return value(id, false);
    Shape shape = constant->shape();
    shape.insert(shape.begin(), rank - shape.size(), 1);
    const Tensor tensor = transposed(constant->reshaped(shape), to_channels_last(rank));
    return to_.add_constant(to_.unique_name(from_.value(id).name), tensor);
  }

  bool lies_last(ValueId id) const {
    const auto found = made_as_.find(id);
    return found != made_as_.end() && found->second;
  }

  bool works_last(const Node& node) const {
    const std::size_t rank = rank_of(node.inputs.empty() ? ValueId::None : node.inputs[0]);
    switch (habit_of(node.kind)) {
      case Habit::Spatial:
        return rank == 3 || rank == 4;
      case Habit::Plain:
        return false;
      case Habit::Anything:
        break;
    }
    return takes_last(node);
  }

  /// Some operand lies with channels last, and the others can.
  bool takes_last(const Node& node) const {
    std::size_t rank = 0;
    bool any = false;
    const bool operands_only_first = is_movement(node.kind) && node.kind != OpKind::Concat;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == ValueId::None || (operands_only_first && i > 0)) continue;
      if (lies_last(id)) any = true;
      rank = std::max(rank, rank_of(id));
    }
    if (!any || rank < 3) return false;
    for (std::size_t i = 0; i < node.inputs.size() && !operands_only_first; ++i) {
      const ValueId id = node.inputs[i];
      if (id != ValueId::None && from_.constant(id) == nullptr && rank_of(id) != rank) return false;
    }
    if (node.kind == OpKind::QReduceMean && node.get_int("keepdims") == 0) {
      std::vector<bool> reduced(rank, false);
      for (const std::int64_t axis : node.get_ints("axes")) {
        reduced[static_cast<std::size_t>(normalize_axis(axis, static_cast<std::int64_t>(rank)))] = true;
      }
      for (std::size_t i = 2; i < rank; ++i) {
        if (!reduced[i]) return false;
      }
    }
    return true;
  }

  static bool is_movement(OpKind kind) {
    return kind == OpKind::Concat || kind == OpKind::Pad || kind == OpKind::Slice || kind == OpKind::Split ||
           kind == OpKind::Resize || kind == OpKind::QReduceMean || kind == OpKind::QuantizeLinear ||
           kind == OpKind::DequantizeLinear || kind == OpKind::QTable || kind == OpKind::Clip;
  }

  void add(const Node& node) {
    const bool last = works_last(node);
    const Habit habit = habit_of(node.kind);
    const std::size_t rank = rank_of(node.inputs.empty() ? ValueId::None : node.inputs[0]);
    Node copy = node;
    if (last) copy.set("channels_last", std::int64_t{1});
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool is_operand = habit == Habit::Anything && !(is_movement(node.kind) && node.kind != OpKind::Concat);
      copy.inputs[i] =
          i == 0 || is_operand ? operand(node.inputs[i], full_rank(node, rank), last) : value(node.inputs[i], false);
    }
    for (ValueId& output : copy.outputs) {
      if (output == ValueId::None) continue;
      const ValueId old = output;
      const bool out_last = last && rank_of(old) >= 3;
      output = to_.add_value(to_.unique_name(from_.value(old).name), stored_type(old, out_last));
      made_[{old, out_last}] = output;
      made_as_[old] = out_last;
    }
    to_.add_node(std::move(copy));
  }

  std::size_t full_rank(const Node& node, std::size_t rank) const {
    for (const ValueId id : node.inputs) {
      if (lies_last(id)) return std::max(rank, rank_of(id));
    }
    return rank;
  }

  const Graph& from_;
  bool nhwc_;
  Graph to_;
  std::map<std::pair<ValueId, bool>, ValueId> made_;  ///< by the given graph's value and order
  std::map<ValueId, bool> made_as_;                   ///< the order in which it was computed
};

}  // namespace

Graph arrange(const Graph& lowered, bool nhwc) {
  return Arranger(lowered, nhwc).run();
}

}  // namespace adze::emit
