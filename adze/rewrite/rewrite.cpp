#include "adze/rewrite/rewrite.h"

#include <array>
#include <deque>

#include "adze/base/progress.h"
#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

/// Rules by the operator they start from.
class RuleTable {
 public:
  explicit RuleTable(std::span<const Rule> rules) {
    for (const Rule& rule : rules) {
      if (rule.roots.empty()) {
        for (auto& list : by_kind_) list.push_back(&rule);
      }
      for (const OpKind kind : rule.roots) by_kind_[static_cast<std::size_t>(kind)].push_back(&rule);
    }
  }
  std::span<const Rule* const> of(OpKind kind) const { return by_kind_[static_cast<std::size_t>(kind)]; }

 private:
  std::array<std::vector<const Rule*>, num_op_kinds> by_kind_;
};

/// Nodes that wait to be looked at, each once.
class Worklist {
 public:
  void push(NodeId id) {
    const auto i = static_cast<std::size_t>(id);
    if (i >= waiting_.size()) waiting_.resize(i + 1, false);
    if (waiting_[i]) return;
    waiting_[i] = true;
    queue_.push_back(id);
  }
  std::optional<NodeId> pop() {
    if (queue_.empty()) return std::nullopt;
    const NodeId id = queue_.front();
    queue_.pop_front();
    waiting_[static_cast<std::size_t>(id)] = false;
    return id;
  }

 private:
  std::deque<NodeId> queue_;
  std::vector<bool> waiting_;
};

class Rewriter {
 public:
  Rewriter(Graph& graph, const RuleTable& rules, const RewriteOptions& options)
      : graph_(graph), rules_(rules), options_(options), uses_(graph) {
    budget_ = options.max_edits > 0 ? options.max_edits : 1000 + 20 * graph.num_alive_nodes();
  }

  int run() {
    int edits = 0;
    for (int before = -1; before != edits;) {  // the list may miss far effects: look at all again until nothing changes
      before = edits;
      for (const NodeId id : topological_order(graph_)) list_.push(id);
      while (const auto id = list_.pop()) {
        while (std::as_const(graph_).node(*id).alive && try_rules(*id)) check_budget(++edits, *id);
      }
    }
    return edits;
  }

 private:
  bool try_rules(NodeId id) {
    const RuleContext context{graph_, uses_, options_.evaluate, options_.max_fold_bytes};
    for (const Rule* rule : rules_.of(std::as_const(graph_).node(id).kind)) {
      try {
        const auto edit = rule->match(context, id);
        if (!edit) continue;
        last_rule_ = rule->name;
        for (const NodeId touched : apply(graph_, uses_, *edit)) push_around(touched);
        return true;
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        rethrow_with_place(
            Error(error.code(), cat("rule ", rule->name, ": ", error.message()), error.place(), error.hint()),
            place_of(graph_, std::as_const(graph_).node(id)));
      }
    }
    return false;
  }

  void push_around(NodeId id) {
    const Node& node = std::as_const(graph_).node(id);
    if (!node.alive) return;
    list_.push(id);
    for (const ValueId read : values_read(node)) {
      if (const NodeId producer = std::as_const(graph_).value(read).producer; producer != NodeId::None)
        list_.push(producer);
    }
    for (const ValueId output : node.outputs) {
      if (output == ValueId::None) continue;
      for (const NodeId reader : uses_.of(output)) list_.push(reader);
    }
  }

  void check_budget(std::int64_t edits, NodeId id) {
    if (edits % 64 == 0) check_cancelled();
    if (edits <= budget_) return;
    throw InternalError(cat("rule ", last_rule_, " at node ", quoted(std::as_const(graph_).node(id).name),
                            ": the rules do not come to an end (", edits, " edits)"));
  }

  Graph& graph_;
  const RuleTable& rules_;
  const RewriteOptions& options_;
  Uses uses_;
  Worklist list_;
  std::int64_t budget_ = 0;
  std::string_view last_rule_;
};

constexpr int max_depth = 64;

int rewrite_at_depth(Graph& graph, const RuleTable& rules, const RewriteOptions& options, int depth) {
  if (depth > max_depth) return 0;
  int edits = 0;
  for (const NodeId id : graph.node_ids()) {
    for (std::size_t i = 0; i < std::as_const(graph).node(id).attributes.size(); ++i) {
      const auto* subgraph = std::get_if<Subgraph>(&std::as_const(graph).node(id).attributes[i].second);
      if (subgraph == nullptr) continue;
      Graph inner = *subgraph->graph;
      const int inner_edits = rewrite_at_depth(inner, rules, options, depth + 1);
      if (inner_edits == 0) continue;
      edits += inner_edits;
      graph.node(id).attributes[i].second =
          Subgraph{std::make_shared<const Graph>(std::move(inner)), subgraph->captured};
    }
  }
  return edits + Rewriter(graph, rules, options).run();
}

}  // namespace

int rewrite(Graph& graph, std::span<const Rule> rules, const RewriteOptions& options) {
  return rewrite_at_depth(graph, RuleTable(rules), options, 0);
}

}  // namespace adze::rewrite
