#include "adze/emit/c/emit.h"

#include <algorithm>
#include <map>

#include "adze/base/text.h"
#include "adze/emit/c/arrange.h"
#include "adze/emit/c/arrays.h"
#include "adze/emit/c/assets.h"
#include "adze/emit/c/files.h"
#include "adze/emit/c/fold.h"
#include "adze/emit/c/layer.h"
#include "adze/emit/c/signed_bytes.h"
#include "adze/emit/c/state.h"
#include "adze/emit/c/stream.h"
#include "adze/graph/edit.h"
#include "adze/plan/cost.h"
#include "adze/plan/lower_integers.h"
#include "adze/plan/stream_choice.h"

namespace adze::emit {

std::vector<std::string> cores() {
  return {"generic", "cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"};
}

namespace {

Isa isa_of(const std::string& core) {
  if (core == "cortex-m4" || core == "cortex-m7" || core == "cortex-m33") return Isa::Dsp;
  return core == "cortex-m55" ? Isa::Mve : Isa::Plain;
}

void check_options(const EmitOptions& options) {
  const auto known = cores();
  if (std::find(known.begin(), known.end(), options.core) == known.end()) {
    throw UsageError(cat("unknown core ", quoted(options.core), ", expected one of ", join(known, ", ")));
  }
  const bool starts_well = !options.name.empty() && !(options.name[0] >= '0' && options.name[0] <= '9');
  if (!starts_well || identifier(options.name) != options.name) {
    throw UsageError(cat("the name ", quoted(options.name), " is not a C identifier of letters, digits and single _"));
  }
}

bool source_is_nhwc(const Graph& graph) {
  const auto found = graph.metadata.find("adze.source_layout");
  return found != graph.metadata.end() && found->second == "NHWC";
}

Port port_of(const Graph& graph, const Plan& plan, ValueId id, std::string macro, bool nhwc) {
  const Value& value = graph.value(id);
  Port port;
  port.name = value.name;
  port.macro = std::move(macro);
  const auto shape = value.type.shape ? concrete(*value.type.shape) : std::nullopt;
  if (!shape || value.constant) throw UnsupportedError(cat(quoted(value.name), " has no fixed shape, or is constant"));
  const DType dtype = value.type.dtype;
  if (dtype != DType::S8 && dtype != DType::S16 && dtype != DType::F32) {
    throw UnsupportedError(cat(quoted(value.name), " is ", type_text(value.type),
                               "; inputs and outputs of C code are s8, u8, s16 or f32"));
  }
  port.type = dtype == DType::F32 ? "float" : dtype == DType::S16 ? "int16_t" : "int8_t";
  port.shape = *shape;
  port.bytes = num_elements(*shape) * dtype_bits(dtype) / 8;
  port.offset = plan.at(id).offset;
  port.channels_last = nhwc && shape->size() == 4;
  return port;
}

void find_scale(const Graph& graph, ValueId id, Port& port) {
  const Node* producer = graph.producer_of(id);
  for (const NodeId node_id : graph.node_ids()) {
    const Node& node = graph.node(node_id);
    const bool reads = !node.inputs.empty() && node.inputs[0] == id;
    const bool first = reads && node.has("a_scale"), unary = reads && node.has("x_scale");
    const bool second = node.inputs.size() > 1 && node.inputs[1] == id && node.has("b_scale");
    if (!first && !second && !unary && &node != producer) continue;
    const std::string prefix = &node == producer ? "y" : first ? "a" : second ? "b" : "x";
    if (!node.has(prefix + "_scale")) continue;
    port.scale = node.get_float(prefix + "_scale");
    port.zero_point = static_cast<std::int32_t>(node.get_int(prefix + "_zero_point"));
    return;
  }
}

Interface interface_of(const Graph& graph, const Plan& plan, bool nhwc) {
  Interface interface;
  const auto label = [](std::string_view word, std::size_t i, std::size_t count) {
    return count == 1 ? std::string(word) : cat(word, i);
  };
  const auto add = [&](const std::vector<ValueId>& ids, std::string_view word, std::vector<Port>& ports) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ports.push_back(port_of(graph, plan, ids[i], label(word, i, ids.size()), nhwc));
      if (ports.back().type != "float") find_scale(graph, ids[i], ports.back());
    }
  };
  add(graph.inputs(), "input", interface.inputs);
  add(graph.outputs(), "output", interface.outputs);
  return interface;
}

/// Bytes that are unsigned for the caller.
void mark_unsigned(const Graph& graph, const std::vector<ValueId>& ids, std::vector<Port>& ports) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (graph.value(ids[i]).type.dtype != DType::U8) continue;
    ports[i].type = "uint8_t";
    ports[i].zero_point += 128;
  }
}

/// Layer names: the node's, as identifiers, each once.
class Names {
 public:
  explicit Names(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string next(const Node& node) { return next(identifier(node.name)); }
  std::string next(const std::string& name) {
    const std::string base = cat(prefix_, "_", name);
    const int used = count_[base]++;
    return used == 0 ? base : next_free(base, used);
  }

 private:
  std::string next_free(const std::string& base, int used) {
    std::string name = cat(base, "_", used);
    while (count_.contains(name)) name = cat(base, "_", ++used);
    count_[name] = 1;
    return name;
  }

  std::string prefix_;
  std::map<std::string, int> count_;
};

void add_runtime(Network& network, Emission& emission) {
  network.runtime.insert("adze_runtime.h");
  std::vector<std::string> pending(network.runtime.begin(), network.runtime.end());
  while (!pending.empty()) {
    const std::string name = pending.back();
    pending.pop_back();
    for (const RuntimeFile& file : runtime_files()) {
      if (file.name != name) continue;
      emission.files.push_back({name, std::string(file.text)});
      for (const RuntimeFile& header : runtime_files()) {
        const bool included = file.text.find(cat("#include \"", header.name, "\"")) != std::string_view::npos;
        if (included && network.runtime.insert(std::string(header.name)).second) {
          pending.push_back(std::string(header.name));
        }
      }
    }
  }
}

bool is_folded(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId id) { return id == ValueId::None || graph.constant(id) != nullptr; });
}

const RowGroup* group_at(const Plan& plan, std::int32_t step) {
  for (const RowGroup& group : plan.groups) {
    if (group.contains(step)) return &group;
  }
  return nullptr;
}

void set_output(const Network& network, const Node& node, EmittedLayer& layer) {
  const auto first = std::ranges::find_if(node.outputs, [](ValueId id) { return id != ValueId::None; });
  if (first == node.outputs.end()) return;
  const ValuePlan& output = network.plan.at(*first);
  layer.output_offset = output.offset;
  layer.output_bytes = output.bytes;
}

void write_layers(Network& network, Emission& emission, const std::map<std::string, std::int64_t>& macs) {
  Names names(network.options.name);
  std::vector<std::string> stages;  // functions of a group of rows
  for (std::size_t step = 0; step < network.plan.order.size(); ++step) {
    const Node& node = network.graph.node(network.plan.order[step]);
    if (is_folded(network.graph, node)) {
      throw UnsupportedError(cat("node ", quoted(node.name), ", operator ", op_info(node.kind).name,
                                 ": computed from constants alone; simplify the network first"));
    }
    if (is_view(network.graph, node) && network.plan.at(node.outputs[0]).storage != node.outputs[0]) continue;
    const RowGroup* group = group_at(network.plan, static_cast<std::int32_t>(step));
    const std::string name = names.next(node);
    network.code.open(cat("static void ", name, group == nullptr ? "(void)" : "(const adze_band *band)"));
    LayerWriter writer(network, node, static_cast<std::int32_t>(step), name, group);
    write_layer(writer);
    network.code.close();
    network.code.line();
    const auto found = macs.find(node.name);
    const std::int64_t products = found == macs.end() ? 0 : found->second;
    if (group == nullptr) {
      emission.layers.push_back({name, std::string(op_info(node.kind).name), products});
      set_output(network, node, emission.layers.back());
      continue;
    }
    if (group->first == static_cast<std::int32_t>(step)) {
      stages.clear();
      emission.layers.push_back({names.next(cat("rows", step)), "Rows", 0});
    }
    stages.push_back(name);
    emission.layers.back().macs += products;
    set_output(network, node, emission.layers.back());
    if (group->last == static_cast<std::int32_t>(step)) {
      write_row_group(network, *group, emission.layers.back().name, stages);
    }
  }
}

PlanGoal goal_of(Optimize optimize) {
  if (optimize == Optimize::Ram) return PlanGoal::Memory;
  return optimize == Optimize::Balanced ? PlanGoal::Balanced : PlanGoal::Work;
}

/// Writes the layers once to learn what they say of their memory.
std::map<NodeId, NodeMemory> declared_memory(const Graph& arranged, const EmitOptions& options) {
  PlanOptions any;
  any.search_nodes = 0;
  const Plan plan = make_plan(arranged, any);
  Network network{arranged, plan, options, isa_of(options.core), {}, {}};
  Emission emission;
  write_layers(network, emission, {});
  return network.memory;
}

}  // namespace

Emission emit_c(const Graph& graph, const EmitOptions& given) {
  EmitOptions options = given;
  check_options(options);
  Graph lowered = with_float_weights(lower_integers(with_unknown_dims(graph, 1)));
  remove_dead_nodes(lowered);
  std::map<std::string, std::int64_t> macs;
  for (const NodeCost& cost : compute_cost(lowered).nodes)
    macs[std::as_const(lowered).node(cost.node).name] = cost.macs;
  const bool nhwc = source_is_nhwc(graph);
  const Graph arranged = arrange(with_signed_bytes(lowered), nhwc);
  PlanOptions plan_options;
  plan_options.alignment = 4;
  plan_options.memory = declared_memory(arranged, options);
  plan_options.memory_bytes = memory_sizes(options, isa_of(options.core));
  const Plan plan = make_plan_for(goal_of(options.optimize), arranged, plan_options);
  Network network{arranged, plan, options, isa_of(options.core), {}, {}};
  network.arrays = arena_arrays(plan, options, network.isa);
  Interface interface = interface_of(arranged, plan, nhwc);
  mark_unsigned(lowered, lowered.inputs(), interface.inputs);
  mark_unsigned(lowered, lowered.outputs(), interface.outputs);
  take_states(graph, interface, options.golden);
  Emission emission;
  write_layers(network, emission, macs);
  add_runtime(network, emission);
  emission.arrays = network.arrays;
  for (const EmittedArray& array : emission.arrays) emission.arena_bytes += array.bytes;
  emission.lower_bound_bytes = plan.peak_activation_bytes;
  emission.weight_bytes = network.weight_bytes;
  emission.memory = memory_map(arranged, plan, plan_options.memory);
  emission.memory.memories = memory_ranges(plan, options, network.isa);
  emission.files.push_back({cat(options.name, ".h"), header_file(network, interface, emission)});
  emission.files.push_back({cat(options.name, ".c"), source_file(network, interface, emission)});
  if (options.weights_object) {
    emission.files.push_back({cat(options.name, "_weights.S"), weights_source(network)});
    emission.files.push_back({cat(options.name, "_weights.bin"), network.weights_file});
  }
  emission.files.push_back({"CMakeLists.txt", cmake_file(network)});
  if (!options.golden.empty()) emission.files.push_back({cat(options.name, "_test.c"), test_file(network, interface)});
  return emission;
}

}  // namespace adze::emit
