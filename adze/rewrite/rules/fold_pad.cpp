#include "adze/rewrite/rules/fold_pad.h"

#include <algorithm>
#include <limits>

#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

/// Pads as [begin…, end…] of the spatial axes, when all others are zero.
std::optional<std::vector<std::int64_t>> spatial_pads(const RuleContext& context, const Node& pad, std::int64_t rank) {
  const auto amounts = context.ints(pad.input(1));
  if (!amounts) return std::nullopt;
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  if (pad.input(3) != ValueId::None) {
    const auto given = context.ints(pad.input(3));
    if (!given) return std::nullopt;
    axes = *given;
  }
  if (amounts->size() != 2 * axes.size() || rank < 3) return std::nullopt;
  std::vector<std::int64_t> pads(2 * static_cast<std::size_t>(rank - 2), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    const std::int64_t begin = (*amounts)[i], end = (*amounts)[i + axes.size()];
    if (begin < 0 || end < 0 || axis < 0 || axis >= rank) return std::nullopt;
    if (axis < 2 && (begin != 0 || end != 0)) return std::nullopt;
    if (axis < 2) continue;
    pads[static_cast<std::size_t>(axis - 2)] += begin;
    pads[static_cast<std::size_t>(axis - 2 + rank - 2)] += end;
  }
  return pads;
}

bool pads_with(const RuleContext& context, const Node& pad, double wanted) {
  if (pad.get_string("mode") != "constant") return false;
  if (pad.input(2) == ValueId::None) return wanted == 0;
  const auto value = context.scalar(pad.input(2));
  return value && *value == wanted;
}

bool is_zero(const std::vector<std::int64_t>& pads) {
  return std::all_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad == 0; });
}

std::optional<GraphEdit> fold_pad(const RuleContext& context, NodeId id) {
  const Node& window = context.node(id);
  const Node* pad = context.producer(window.input(0), OpKind::Pad);
  if (pad == nullptr) return std::nullopt;
  const bool is_max = window.kind == OpKind::MaxPool, is_average = window.kind == OpKind::AveragePool;
  const std::string auto_pad = window.get_string("auto_pad");
  if (auto_pad != "NOTSET" && auto_pad != "VALID") return std::nullopt;
  if (!pads_with(context, *pad, is_max ? -std::numeric_limits<double>::infinity() : 0)) return std::nullopt;
  const auto rank = context.rank(window.input(0));
  const auto amounts = rank ? spatial_pads(context, *pad, *rank) : std::nullopt;
  if (!amounts) return std::nullopt;
  std::vector<std::int64_t> pads = auto_pad == "VALID" ? std::vector<std::int64_t>{} : window.get_ints("pads");
  pads.resize(amounts->size(), 0);
  if (is_average &&
      (window.get_int("ceil_mode") != 0 || (!is_zero(pads) && window.get_int("count_include_pad") == 0))) {
    return std::nullopt;
  }
  // Indices count the elements of the padded input.
  if (is_max && (window.output(1) != ValueId::None || window.get_int("ceil_mode") != 0)) return std::nullopt;
  const auto kernel = window.get_ints("kernel_shape");
  for (std::size_t i = 0; i < pads.size(); ++i) {
    pads[i] += (*amounts)[i];
    if ((is_max || is_average) && pads[i] >= kernel.at(i % kernel.size())) return std::nullopt;
  }
  GraphEdit edit(context.graph, cat(pad->name, " joins ", window.name));
  edit.set_attribute(id, "pads", pads);
  edit.erase_attribute(id, "auto_pad");
  if (is_average) edit.set_attribute(id, "count_include_pad", std::int64_t{1});
  edit.set_input(id, 0, pad->input(0));
  return edit;
}

}  // namespace

std::vector<Rule> fold_pad_rules() {
  return {{"fold-pad", Exactness::Exact, {OpKind::Conv, OpKind::AveragePool, OpKind::MaxPool}, fold_pad}};
}

}  // namespace adze::rewrite
