#include "adze/formats/onnx/operators.h"

#include <map>
#include <set>

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

constexpr std::int64_t oldest_ir = 3;
constexpr std::int64_t newest_ir = 13;  // those after 10 add fields that graphs of opset 21 do not need

std::string shown_op(std::string_view domain, std::string_view op) {
  return domain.empty() ? std::string(op) : cat(domain, ".", op);
}

/// Walks over everything that the main graph reaches and collects what adze does not have.
class OperatorCheck {
 public:
  OperatorCheck(const ModelMessage& model, const FunctionTable& table) : model_(model), table_(table) {}

  void run() {
    check_nodes(model_.graph.nodes, model_.opsets);
    while (!functions_.empty()) {
      const FunctionMessage* function = functions_.back();
      functions_.pop_back();
      check_nodes(function->nodes, function->opsets.empty() ? model_.opsets : function->opsets);
    }
    if (!missing_.empty()) report();
  }

 private:
  struct Missing {
    std::string node;
    std::int64_t opset = 0;
    std::string why;
    std::int64_t count = 0;
  };

  void check_nodes(const std::vector<NodeMessage>& nodes, const OpsetImports& opsets) {
    for (const NodeMessage& node : nodes) {
      check_node(node, opsets);
      for (const AttributeMessage& attribute : node.attributes) {
        if (attribute.graph) check_nodes(attribute.graph->nodes, opsets);
      }
    }
  }

  void check_node(const NodeMessage& node, const OpsetImports& opsets) {
    if (const FunctionMessage* function = table_.find(node)) {
      if (seen_.insert(function).second) functions_.push_back(function);
      return;
    }
    if (node.domain.empty() && !opsets.contains("")) {
      throw ModelError("the default operator set is used but not imported (opset_import)",
                       {"", std::string(node.name), std::string(node.op)});
    }
    const std::int64_t opset = opset_of(opsets, node.domain);
    const auto kind = op_from_name(node.domain, node.op);
    if (!kind) {
      add(node, opset, "");
    } else if (op_info(*kind).since > opset) {
      add(node, opset, cat(", where it does not exist before opset ", op_info(*kind).since));
    }
  }

  void add(const NodeMessage& node, std::int64_t opset, std::string why) {
    Missing& missing = missing_[shown_op(node.domain, node.op)];
    if (missing.count++ > 0) return;
    missing.node = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
    missing.opset = opset;
    missing.why = std::move(why);
  }

  [[noreturn]] void report() const {
    constexpr std::size_t most_shown = 20;
    std::string text = cat("the model uses ", missing_.size(), missing_.size() == 1 ? " operator" : " operators",
                           " that adze does not have: ");
    std::size_t shown = 0;
    for (const auto& [op, missing] : missing_) {
      if (shown == most_shown) {
        text += cat(" and ", missing_.size() - shown, " more");
        break;
      }
      if (shown++ > 0) text += ", ";
      text += cat(op, " (node ", adze::quoted(missing.node), ", opset ", missing.opset, missing.why);
      text += missing.count == 1 ? ")" : cat("; ", missing.count, " nodes)");
    }
    const std::string hint = nearest(missing_.begin()->first, op_names());
    throw UnsupportedError(text, {"", missing_.begin()->second.node, missing_.begin()->first},
                           hint.empty() ? "" : cat("the nearest operator that adze has is ", hint));
  }

  const ModelMessage& model_;
  const FunctionTable& table_;
  std::map<std::string, Missing> missing_;
  std::set<const FunctionMessage*> seen_;
  std::vector<const FunctionMessage*> functions_;
};

void check_opsets(const OpsetImports& opsets, const std::string& owner) {
  for (const auto& [domain, version] : opsets) {
    if (version < 1) throw ModelError(cat(owner, " imports opset ", version, " of domain ", quoted(domain)));
    if (domain.empty() && version > newest_opset) {
      throw UnsupportedError(cat(owner, " uses opset ", version, "; adze reads opsets 1 to ", newest_opset), {},
                             cat("convert it to opset ", newest_opset));
    }
    if (domain == domain_name(Domain::Training) && version > 1) {
      throw UnsupportedError(cat(owner, " uses opset ", version, " of ", domain, "; adze reads opset 1"));
    }
  }
}

}  // namespace

std::int64_t opset_of(const OpsetImports& opsets, std::string_view domain) {
  const auto found = opsets.find(domain);
  return found == opsets.end() ? 1 : found->second;
}

void check_operators(const ModelMessage& model, const FunctionTable& functions) {
  if (model.ir_version <= 0) throw ModelError("not an ONNX model: it has no IR version");
  if (model.ir_version < oldest_ir || model.ir_version > newest_ir) {
    throw UnsupportedError(
        cat("IR version ", model.ir_version, " is not supported; adze reads ", oldest_ir, " to ", newest_ir));
  }
  check_opsets(model.opsets, "the model");
  for (const FunctionMessage& function : model.functions) {
    check_opsets(function.opsets, cat("function ", function.name));
  }
  OperatorCheck(model, functions).run();
}

}  // namespace adze::onnx
