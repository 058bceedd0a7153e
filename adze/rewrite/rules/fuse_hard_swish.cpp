#include "adze/rewrite/rules/fuse_hard_swish.h"

#include "adze/base/text.h"
#include "adze/rewrite/pattern.h"

namespace adze::rewrite {

namespace {

struct Gate {
  ValueId x = ValueId::None;
  double scale = 1;  ///< what the gate must be multiplied by to reach from 0 to 1
};

/// x when value is HardSigmoid(x) or Clip(x + 3, 0, 6).
Gate gate_argument(const RuleContext& context, ValueId value) {
  if (!context.uses.single(value)) return {};
  if (const Node* hard = context.producer(value, OpKind::HardSigmoid)) {
    const bool fits = near(hard->get_float("alpha"), 1.0 / 6) && near(hard->get_float("beta"), 0.5);
    return fits ? Gate{hard->input(0), 1} : Gate{};
  }
  const Node* clip = context.producer(value, OpKind::Clip);
  if (clip == nullptr || !context.uses.single(clip->input(0))) return {};
  if (context.scalar(clip->input(1)) != 0.0 || context.scalar(clip->input(2)) != 6.0) return {};
  const auto sum = split_scalar(context, clip->input(0), OpKind::Add);
  return sum && sum->scalar == 3 ? Gate{sum->other, 1.0 / 6} : Gate{};
}

std::optional<GraphEdit> fuse_hard_swish(const RuleContext& context, NodeId id) {
  const Node& root = context.node(id);
  const Product product = factors_of(context, root);
  if (product.factors.size() != 2) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) {
    const Gate gate = gate_argument(context, product.factors[i]);
    if (gate.x == ValueId::None || gate.x != product.factors[1 - i] || !near(product.constant, gate.scale)) continue;
    GraphEdit edit(context.graph, cat(root.name, " is a HardSwish"));
    edit.replace(root.output(), edit.add_node(OpKind::HardSwish, {gate.x}, {}, root.name));
    return edit;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Rule> fuse_hard_swish_rules() {
  return {{"fuse-hard-swish", Exactness::Rounding, {OpKind::Mul, OpKind::Div}, fuse_hard_swish}};
}

}  // namespace adze::rewrite
