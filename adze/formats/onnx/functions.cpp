#include "adze/formats/onnx/functions.h"

#include <unordered_map>

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

/// How many nodes calls expand to.
class ExpansionCount {
 public:
  ExpansionCount(const FunctionTable& table, const ReadOptions& options) : table_(table), options_(options) {}

  std::int64_t count(const NodeMessage& node) {
    std::int64_t total = 1;
    if (const FunctionMessage* function = table_.find(node)) add(total, count(*function));
    for (const AttributeMessage& attribute : node.attributes) {
      if (!attribute.graph) continue;
      for (const NodeMessage& inner : attribute.graph->nodes) add(total, count(inner));
    }
    return total;
  }

  void add(std::int64_t& total, std::int64_t more) const {
    total += more;  // both at most max_nodes
    if (total > options_.max_nodes) {
      throw LimitError(cat("the model has more than ", options_.max_nodes, " nodes once its functions are expanded"));
    }
  }

 private:
  static constexpr std::int64_t in_progress = -1;

  std::int64_t count(const FunctionMessage& function) {
    const auto [place, is_new] = counts_.emplace(&function, in_progress);
    if (!is_new) {
      if (place->second == in_progress) throw ModelError(cat("function ", function.name, " calls itself"));
      return place->second;
    }
    if (++depth_ > options_.max_depth) {
      throw LimitError(cat("functions call each other more than ", options_.max_depth, " deep"));
    }
    std::int64_t total = 0;
    for (const NodeMessage& node : function.nodes) add(total, count(node));
    --depth_;
    counts_[&function] = total;
    return total;
  }

  const FunctionTable& table_;
  const ReadOptions& options_;
  std::unordered_map<const FunctionMessage*, std::int64_t> counts_;
  int depth_ = 0;
};

}  // namespace

FunctionTable::FunctionTable(const ModelMessage& model) : model_(model) {
  for (const FunctionMessage& function : model.functions) {
    if (!functions_.emplace(Key{function.domain, function.name, function.overload}, &function).second) {
      throw ModelError(
          cat("function ", quoted(function.name), " of domain ", quoted(function.domain), " is defined twice"));
    }
  }
}

const FunctionMessage* FunctionTable::find(const NodeMessage& node) const {
  if (functions_.empty()) return nullptr;
  const auto found = functions_.find(Key{node.domain, node.op, node.overload});
  return found == functions_.end() ? nullptr : found->second;
}

void FunctionTable::check_expansion(const ReadOptions& options) const {
  ExpansionCount expansion(*this, options);
  std::int64_t total = 0;
  for (const NodeMessage& node : model_.graph.nodes) {
    try {
      expansion.add(total, expansion.count(node));
    } catch (const Error& error) {
      rethrow_with_place(error, {"", std::string(node.name), std::string(node.op)});
    }
  }
}

}  // namespace adze::onnx
