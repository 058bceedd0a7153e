#include "adze/emit/c/state.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/states.h"

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

}  // namespace

void take_states(const Graph& graph, Interface& interface, std::vector<Golden>& golden) {
  for (const StateNames& names : named_states(graph)) {
    const std::size_t in = port_named(interface.inputs, names.input, "input");
    const std::size_t out = port_named(interface.outputs, names.output, "output");
    require_equal(interface.inputs[in], interface.outputs[out]);
    if (interface.inputs[in].type != "float") {
      interface.inputs[in].zero_point = static_cast<std::int32_t>(stored_zero(graph, named_input(graph, names.input)));
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
