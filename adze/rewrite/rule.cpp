#include "adze/rewrite/rule.h"

namespace adze::rewrite {

const Node* RuleContext::producer(ValueId id, OpKind kind) const {
  const Node* node = graph.producer_of(id);
  return node != nullptr && node->kind == kind ? node : nullptr;
}

const Node* RuleContext::only_reader(ValueId id) const {
  return uses.single(id) ? &graph.node(uses.of(id)[0]) : nullptr;
}

const SymbolicShape* RuleContext::shape(ValueId id) const {
  if (id == ValueId::None || !graph.value(id).type.is_tensor()) return nullptr;
  const auto& shape = graph.value(id).type.shape;
  return shape ? &*shape : nullptr;
}

std::optional<Shape> RuleContext::known_shape(ValueId id) const {
  const SymbolicShape* symbols = shape(id);
  return symbols != nullptr ? concrete(*symbols) : std::nullopt;
}

std::optional<std::int64_t> RuleContext::rank(ValueId id) const {
  const SymbolicShape* symbols = shape(id);
  if (symbols == nullptr) return std::nullopt;
  return std::ssize(*symbols);
}

std::optional<double> RuleContext::scalar(ValueId id) const {
  const Tensor* constant = graph.constant(id);
  if (constant == nullptr || constant->size() != 1) return std::nullopt;
  if (!is_float(constant->dtype()) && !is_integer(constant->dtype())) return std::nullopt;
  return constant->get_double(0);
}

std::optional<std::vector<std::int64_t>> RuleContext::ints(ValueId id) const {
  const Tensor* constant = graph.constant(id);
  if (constant == nullptr || !is_integer(constant->dtype()) || constant->rank() > 1) return std::nullopt;
  return to_ints(*constant);
}

bool same_shape(const SymbolicShape* a, const SymbolicShape* b) {
  if (a == nullptr || b == nullptr || a->size() != b->size()) return false;
  for (std::size_t i = 0; i < a->size(); ++i) {
    const Dim& x = (*a)[i];
    const Dim& y = (*b)[i];
    const bool equal = x.is_known() ? x.value == y.value : !y.is_known() && !x.symbol.empty() && x.symbol == y.symbol;
    if (!equal) return false;
  }
  return true;
}

}  // namespace adze::rewrite
