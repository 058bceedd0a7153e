#include "adze/emit/c/state.h"

#include <algorithm>
#include <optional>

#include "adze/base/text.h"

namespace adze::emit {

namespace {

std::size_t port_named(const std::vector<Port>& ports, const std::string& name, std::string_view what) {
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.name == name; });
  if (found == ports.end()) {
    std::vector<std::string> names;
    for (const Port& port : ports) names.push_back(port.name);
    throw UsageError(
        cat("there is no ", what, " ", adze::quoted(name), " to keep as state; there are ", join(names, ", ")));
  }
  return static_cast<std::size_t>(found - ports.begin());
}

ValueId named_input(const Graph& graph, const std::string& name) {
  for (const ValueId id : graph.inputs()) {
    if (graph.value(id).name == name) return id;
  }
  return ValueId::None;  // port_named has found it
}

void require_equal(const Port& in, const Port& out) {
  const bool equal = in.type == out.type && in.shape == out.shape && in.channels_last == out.channels_last;
  if (!equal) {
    throw UsageError(cat("state ", adze::quoted(in.name), " is ", in.type, " ", shape_text(in.shape), ", but ",
                         adze::quoted(out.name), " is ", out.type, " ", shape_text(out.shape)));
  }
  const bool scaled = in.scale > 0.0f && out.scale > 0.0f;
  if (scaled && (in.scale != out.scale || in.zero_point != out.zero_point)) {
    throw UsageError(cat("state ", adze::quoted(in.name), " has the scale ", in.scale, " and the zero point ",
                         in.zero_point, ", but ", adze::quoted(out.name), " has ", out.scale, " and ", out.zero_point,
                         "; quantize both with the same parameters"));
  }
}

template <typename T>
void erase_at(std::vector<T>& values, std::size_t at) {
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(at));
}

void name_again(std::vector<Port>& ports, std::string_view word) {
  for (std::size_t i = 0; i < ports.size(); ++i) ports[i].macro = ports.size() == 1 ? std::string(word) : cat(word, i);
}

/// The zero point that the node gives its operand; nothing when it gives none.
std::optional<std::int64_t> zero_point_of(const Graph& graph, const Node& node, std::size_t operand) {
  if (node.kind == OpKind::DequantizeLinear && operand == 0) {
    const Tensor* zero_point = graph.constant(node.input(2));
    return zero_point == nullptr || zero_point->empty() ? 0 : zero_point->get_int(0);
  }
  for (const char* prefix : {"x", "a", "b"}) {
    const bool second = *prefix == 'b';
    if (operand == (second ? 1U : 0U) && node.has(cat(prefix, "_scale")))
      return node.get_int(cat(prefix, "_zero_point"));
  }
  return std::nullopt;
}

}  // namespace

std::int64_t stored_zero(const Graph& graph, ValueId input) {
  std::vector<ValueId> open{input};  // it and what only moves its numbers
  for (std::size_t at = 0; at < open.size(); ++at) {
    for (const NodeId id : graph.node_ids()) {
      const Node& node = graph.node(id);
      for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
        if (node.inputs[operand] != open[at]) continue;
        if (const auto zero = zero_point_of(graph, node, operand)) return *zero;
        for (const ValueId output : node.outputs) {
          const bool moved = output != ValueId::None &&
                             graph.value(output).type.dtype == graph.value(input).type.dtype &&
                             std::find(open.begin(), open.end(), output) == open.end();
          if (moved) open.push_back(output);
        }
      }
    }
  }
  return 0;
}

void take_states(const Graph& graph, Interface& interface, std::vector<Golden>& golden) {
  const auto found = graph.metadata.find("adze.state");
  if (found == graph.metadata.end() || found->second.empty()) return;
  for (const std::string& pair : split(found->second, ',')) {
    const auto names = split(pair, '=');
    if (names.size() != 2) throw UsageError(cat("state ", adze::quoted(pair), ": expected INPUT=OUTPUT"));
    const std::size_t in = port_named(interface.inputs, names[0], "input");
    const std::size_t out = port_named(interface.outputs, names[1], "output");
    require_equal(interface.inputs[in], interface.outputs[out]);
    if (interface.inputs[in].type != "float") {
      interface.inputs[in].zero_point = static_cast<std::int32_t>(stored_zero(graph, named_input(graph, names[0])));
    }
    interface.states.push_back({interface.inputs[in], interface.outputs[out]});
    erase_at(interface.inputs, in);
    erase_at(interface.outputs, out);
    for (Golden& run : golden) {
      if (in < run.inputs.size()) erase_at(run.inputs, in);
      if (out < run.outputs.size()) erase_at(run.outputs, out);
    }
  }
  name_again(interface.inputs, "input");
  name_again(interface.outputs, "output");
}

}  // namespace adze::emit
