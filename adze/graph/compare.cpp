#include "adze/graph/compare.h"

#include <algorithm>
#include <map>
#include <set>

#include "adze/base/text.h"
#include "adze/graph/text.h"

namespace adze {

namespace {

constexpr int max_depth = 64;

/// A graph's values paired with those of another, as far as they have been followed.
class Comparison {
 public:
  Comparison(const Graph& a, const Graph& b, int depth) : a_(a), b_(b), depth_(depth) {}

  std::optional<std::string> run() {
    if (depth_ > max_depth) return "nested too deeply to compare";
    if (!pair_lists(a_.inputs(), b_.inputs(), "inputs", true)) return difference_;
    if (!pair_lists(a_.captures(), b_.captures(), "captures", false)) return difference_;
    if (!pair_lists(a_.outputs(), b_.outputs(), "outputs", depth_ == 0)) return difference_;
    while (!open_.empty()) {
      const auto [x, y] = open_.back();
      open_.pop_back();
      if (!compare_values(x, y)) return difference_;
    }
    return std::nullopt;
  }

 private:
  bool differ(std::string text) {
    difference_ = std::move(text);
    return false;
  }

  std::string describe(const Graph& graph, ValueId id) const {
    if (id == ValueId::None) return "nothing";
    const Node* producer = graph.producer_of(id);
    const std::string name = cat('%', graph.value(id).name);
    return producer != nullptr  ? cat(name, " (", op_name(producer->kind), ")")
           : graph.constant(id) ? cat(name, " (constant)")
                                : name;
  }

  bool pair_lists(const std::vector<ValueId>& x, const std::vector<ValueId>& y, const char* what, bool named) {
    if (x.size() != y.size()) return differ(cat(x.size(), " ", what, " against ", y.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (named && a_.value(x[i]).name != b_.value(y[i]).name) {
        return differ(cat(what, ": ", describe(a_, x[i]), " against ", describe(b_, y[i])));
      }
      if (!pair(x[i], y[i])) return false;
    }
    return true;
  }

  bool pair(ValueId x, ValueId y) {
    if ((x == ValueId::None) != (y == ValueId::None)) {
      return differ(cat(describe(a_, x), " against ", describe(b_, y)));
    }
    if (x == ValueId::None) return true;
    const auto [found, is_new] = partner_.emplace(x, y);
    // Equal constants may be shared in one graph and repeated in the other.
    if (!is_new && found->second != y && !a_.constant(x)) {
      return differ(cat(describe(a_, x), " stands for both ", describe(b_, found->second), " and ", describe(b_, y)));
    }
    open_.emplace_back(x, y);
    return true;
  }

  bool compare_values(ValueId x, ValueId y) {
    const Tensor* constant_x = a_.constant(x);
    const Tensor* constant_y = b_.constant(y);
    const Node* node_x = a_.producer_of(x);
    const Node* node_y = b_.producer_of(y);
    if ((constant_x == nullptr) != (constant_y == nullptr) || (node_x == nullptr) != (node_y == nullptr)) {
      return differ(cat(describe(a_, x), " against ", describe(b_, y)));
    }
    if (constant_x != nullptr && !identical(*constant_x, *constant_y)) {
      return differ(cat("constants %", a_.value(x).name, " and %", b_.value(y).name, " differ"));
    }
    if (node_x == nullptr) return constant_x != nullptr || compare_interface(x, y);
    const auto position = [](const Node& node, ValueId id) {
      return std::find(node.outputs.begin(), node.outputs.end(), id) - node.outputs.begin();
    };
    if (position(*node_x, x) != position(*node_y, y)) {
      return differ(cat(describe(a_, x), " and ", describe(b_, y), " are different outputs"));
    }
    return compare_nodes(*node_x, *node_y);
  }

  bool compare_interface(ValueId x, ValueId y) {
    const auto position = [](const std::vector<ValueId>& list, ValueId id) {
      const auto found = std::find(list.begin(), list.end(), id);
      return found == list.end() ? -1 : found - list.begin();
    };
    const auto input = position(a_.inputs(), x);
    const std::string type_x = type_text(a_.value(x).type), type_y = type_text(b_.value(y).type);
    if (input == position(b_.inputs(), y) && position(a_.captures(), x) == position(b_.captures(), y) &&
        (input < 0 || type_x == type_y)) {
      return true;
    }
    return differ(cat(describe(a_, x), ": ", type_x, " against ", describe(b_, y), ": ", type_y));
  }

  bool compare_nodes(const Node& x, const Node& y) {
    if (!seen_.insert({&x, &y}).second) return true;
    const std::string where =
        cat("node ", quoted(x.name), " (", op_name(x.kind), ") against ", quoted(y.name), " (", op_name(y.kind), ")");
    if (x.kind != y.kind) return differ(where);
    const std::size_t count = std::max(x.inputs.size(), y.inputs.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (!pair(x.input(i), y.input(i))) return differ(cat(where, ", input ", i, ": ", difference_));
    }
    for (const AttributeSchema& schema : attribute_schemas(x.kind)) {
      if (!compare_attributes(x, y, schema)) return differ(cat(where, ", attribute ", schema.name, " ", difference_));
    }
    return true;
  }

  bool compare_attributes(const Node& x, const Node& y, const AttributeSchema& schema) {
    const Attribute* p = x.find(schema.name);
    const Attribute* q = y.find(schema.name);
    if (schema.type == AttributeType::Graph && p != nullptr && q != nullptr) return compare_subgraphs(*p, *q);
    const std::string text_x = value_text(x, schema), text_y = value_text(y, schema);
    return text_x == text_y || differ(cat(text_x, " against ", text_y));
  }

  static std::string value_text(const Node& node, const AttributeSchema& schema) {
    if (!node.has(schema.name) && !schema.default_text) return "absent";
    switch (schema.type) {
      case AttributeType::Int:
        return cat(node.get_int(schema.name));
      case AttributeType::Float:
        return cat(node.get_float(schema.name));
      case AttributeType::String:
        return quoted(node.get_string(schema.name));
      default:
        return attribute_text(*node.find(schema.name));
    }
  }

  bool compare_subgraphs(const Attribute& x, const Attribute& y) {
    const auto& p = std::get<Subgraph>(x);
    const auto& q = std::get<Subgraph>(y);
    if (const auto inner = Comparison(*p.graph, *q.graph, depth_ + 1).run()) return differ(*inner);
    for (std::size_t i = 0; i < p.captured.size(); ++i) {
      if (!pair(p.captured[i], q.captured[i])) return false;
    }
    return true;
  }

  const Graph& a_;
  const Graph& b_;
  const int depth_;
  std::map<ValueId, ValueId> partner_;
  std::set<std::pair<const Node*, const Node*>> seen_;
  std::vector<std::pair<ValueId, ValueId>> open_;
  std::string difference_;
};

}  // namespace

std::optional<std::string> structural_difference(const Graph& a, const Graph& b) {
  return Comparison(a, b, 0).run();
}

}  // namespace adze
