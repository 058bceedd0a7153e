#include "adze/engine/compiled.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "adze/base/files.h"
#include "adze/base/memory.h"
#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/fuse_functions.h"
#include "adze/engine/fuse_gates.h"
#include "adze/engine/fuse_signs.h"
#include "adze/engine/fuse_sums.h"
#include "adze/engine/fuse_tables.h"
#include "adze/engine/row_pairs.h"
#include "adze/plan/coded_weights.h"
#include "adze/plan/cost.h"
#include "adze/plan/order.h"

namespace adze::engine {

namespace {

constexpr std::size_t arena_alignment = 64;

/// Kernels may read and write a little beyond a value's end, never beyond this.
constexpr std::size_t arena_margin = 256;

reference::Datum deep_copy(const reference::Datum& datum) {
  if (datum.is_tensor()) {
    const Tensor& tensor = datum.tensor();
    if (tensor.dtype() == DType::String) return tensor;
    Tensor copy(tensor.dtype(), tensor.shape());
    if (!tensor.empty()) std::memcpy(copy.mutable_bytes().data(), tensor.bytes().data(), tensor.bytes().size());
    return copy;
  }
  if (!datum.is_sequence()) return datum;
  reference::Sequence copies;
  for (const reference::Datum& element : datum.sequence()) copies.push_back(deep_copy(element));
  return copies;
}

bool has_subgraph(const Node& node) {
  return std::any_of(node.attributes.begin(), node.attributes.end(),
                     [](const auto& entry) { return std::holds_alternative<Subgraph>(entry.second); });
}

/// A graph of the one node, whose inputs are everything that it reads.
Graph alone(const Graph& graph, Node node) {
  Graph single;
  single.source_file = graph.source_file;
  const auto bring = [&](ValueId& id) {
    if (id == ValueId::None) return;
    const Value& value = graph.value(id);
    const ValueId known = single.find_value(value.name);
    id = known != ValueId::None ? known : single.add_input(value.name, value.type);
  };
  for (ValueId& input : node.inputs) bring(input);
  for (auto& [name, attribute] : node.attributes) {
    if (auto* subgraph = std::get_if<Subgraph>(&attribute)) {
      for (ValueId& captured : subgraph->captured) bring(captured);
    }
  }
  for (ValueId& output : node.outputs) {
    if (output == ValueId::None) continue;
    output = single.add_value(graph.value(output).name, graph.value(output).type);
    single.add_output(output);
  }
  single.add_node(std::move(node));
  return single;
}

std::vector<std::int64_t> macs_by_node(const Graph& graph) {
  std::vector<std::int64_t> macs(static_cast<std::size_t>(graph.num_nodes()), 0);
  for (const NodeCost& cost : compute_cost(graph).nodes) macs[static_cast<std::size_t>(cost.node)] = cost.macs;
  return macs;
}

std::int64_t known_bytes(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return 0;
  const ValueType& type = graph.value(id).type;
  const auto shape = type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  if (!shape || type.dtype == DType::Undefined || type.dtype == DType::String) return 0;
  return storage_bytes(type.dtype, num_elements(*shape));
}

StepInfo describe(const Graph& graph, const Node& node, const Step& step, std::int64_t macs) {
  StepInfo info{node.name, std::string(op_name(node.kind)), step.kernel()};
  if (node.input(0) != ValueId::None) info.dtype = graph.value(node.inputs[0]).type.dtype;
  info.macs = macs;
  for (const ValueId input : node.inputs) info.bytes += known_bytes(graph, input);
  for (const ValueId output : node.outputs) info.bytes += known_bytes(graph, output);
  if (is_view(graph, node)) info.bytes = 0;
  return info;
}

/// Is the tensor of this type, whose dimensions are all known? Does not allocate.
bool has_type(const Tensor& tensor, const ValueType& type) {
  if (tensor.dtype() != type.dtype || !type.shape || tensor.shape().size() != type.shape->size()) return false;
  for (std::size_t i = 0; i < type.shape->size(); ++i) {
    if ((*type.shape)[i].value != tensor.shape()[i]) return false;
  }
  return true;
}

/// As weights are packed, the model's file need not stay in memory.
class FilePages {
 public:
  void packed(const Tensor& constant) {
    constexpr std::size_t worth_a_call = 65536;
    if (constant.dtype() == DType::String) return;
    bytes_ += constant.bytes().size();
    if (bytes_ < worth_a_call || constant.empty()) return;
    MappedFile::release_file(constant.bytes());
    bytes_ = 0;
  }

 private:
  std::size_t bytes_ = 0;  ///< since the last call
};

}  // namespace

namespace {

/// Looks at nodes that could be next: sessions should start at once.
constexpr std::int64_t order_looks = 20'000;

/// In the graph's own order, or in another one that takes a smaller arena.
Plan draw_plan(const Graph& graph) {
  PlanOptions options{arena_alignment, true, true, false, 0};
  Plan plan = make_plan(graph, options);
  for (const NodeId id : plan.order) {
    // Random numbers are drawn in the given order.
    if (op_info(graph.node(id).kind).op_class == OpClass::Random || has_subgraph(graph.node(id))) return plan;
  }
  MemoryOrder lowest = lowest_peak_order(graph, {}, order_looks);
  if (lowest.peak_bytes >= peak_of_order(graph, plan.order, {})) return plan;
  options.order = std::move(lowest.order);
  Plan other = make_plan(graph, options);
  return other.arena_bytes < plan.arena_bytes ? other : plan;
}

}  // namespace

Blueprint draw_blueprint(const Graph& graph, bool fuse) {
  Graph joined = join_codes(graph);
  if (fuse) joined = fuse_gates(fuse_functions(fuse_tables(fuse_sums(fuse_signs(std::move(joined))))));
  Blueprint blueprint{arrange(joined, fuse), {}, {}};
  if (fuse) pair_rows(blueprint.arranged.graph);
  blueprint.plan = draw_plan(blueprint.arranged.graph);
  return blueprint;
}

Compiled::Compiled(std::shared_ptr<const Blueprint> blueprint, const Settings& settings)
    : blueprint_(std::move(blueprint)), arranged_(blueprint_->arranged), plan_(blueprint_->plan) {
  place_values();
  bind_steps(settings);
}

void Compiled::place_values() {
  const Graph& graph = arranged_.graph;
  const auto bytes = static_cast<std::size_t>(plan_.arena_bytes) + arena_margin;
  if (plan_.arena_bytes > max_tensor_bytes()) {
    throw LimitError(cat("the activations need ", bytes_text(plan_.arena_bytes), ", more than the limit of ",
                         bytes_text(max_tensor_bytes())),
                     {graph.source_file, "", ""});
  }
  arena_ = allocate_zeroed(bytes);
  std::byte* memory = arena_.get();
  places_.assign(static_cast<std::size_t>(graph.num_values()), nullptr);
  held_.resize(places_.size());
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (plan_.values[i].in_arena()) places_[i] = memory + plan_.values[i].offset;
  }
}

bool Compiled::is_placed(ValueId id) const {
  const Tensor* constant = arranged_.graph.constant(id);
  if (constant != nullptr) return constant->dtype() != DType::String && !constant->empty();
  return places_[static_cast<std::size_t>(id)] != nullptr && plan_.at(id).bytes > 0;
}

void Compiled::bind_steps(const Settings& settings) {
  const Graph& graph = arranged_.graph;
  released_.resize(plan_.order.size());
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const ValuePlan& value = plan_.values[i];
    const auto last = static_cast<std::size_t>(std::max(value.last, 0));
    if (places_[i] == nullptr && value.first >= 0 && last < released_.size()) {
      released_[last].push_back(static_cast<ValueId>(i));
    }
  }
  choices_ = blueprint_->choices;
  choices_.resize(plan_.order.size());
  timed_.assign(plan_.order.size(), 0);
  FilePages pages;
  for (std::size_t i = 0; i < plan_.order.size(); ++i) {
    const Node& node = graph.node(plan_.order[i]);
    std::unique_ptr<Step> step = bind_in_pair(plan_.order[i], settings);
    if (!step) step = bind(plan_.order[i], settings, choices_[i], timed_[i]);
    if (!step) {
      if (node.has("channels_last") || node.has("fused_low") || node.has("post_function")) {
        throw InternalError(cat("no kernel for the arranged node ", node.name, " (", op_name(node.kind), ")"));
      }
      step = reference_step(node);
    }
    for (const ValueId input : node.inputs) {
      if (const Tensor* constant = graph.constant(input)) pages.packed(*constant);
    }
    steps_.push_back(std::move(step));
  }
}

std::unique_ptr<Step> Compiled::bind_in_pair(NodeId id, const Settings& settings) const {
  const Node& node = arranged_.graph.node(id);
  if (begins_row_pair(node)) return make_step("with the next", [] {});
  if (!ends_row_pair(node)) return nullptr;
  const NodeId first = first_of_row_pair(arranged_.graph, node);
  const auto origin = [&](NodeId of) { return arranged_.node_origins[static_cast<std::size_t>(of)]; };
  return bind_row_pair(BindContext(arranged_.graph, node, origin(id), places_, settings.isa, settings.compute,
                                   settings.threads, settings.weights),
                       first, origin(first), places_);
}

std::vector<StepInfo>& Compiled::steps() {
  if (!infos_.empty()) return infos_;
  const std::vector<std::int64_t> macs = macs_by_node(arranged_.graph);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const NodeId id = plan_.order[i];
    infos_.push_back(
        describe(arranged_.graph, arranged_.graph.node(id), *steps_[i], macs[static_cast<std::size_t>(id)]));
    if (timed_[i] != 0) infos_.back().kernel += ", timed";
  }
  return infos_;
}

bool Compiled::is_bindable(const Node& node) const {
  const auto placed = [&](ValueId id) { return id == ValueId::None || is_placed(id); };
  return !node.inputs.empty() && !node.outputs.empty() && node.output() != ValueId::None &&
         std::all_of(node.inputs.begin(), node.inputs.end(), placed) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), placed);
}

std::unique_ptr<Step> Compiled::bind_candidate(NodeId id, const BinderEntry& entry, const Settings& settings) const {
  const Node& node = arranged_.graph.node(id);
  const NodeId origin = arranged_.node_origins[static_cast<std::size_t>(id)];
  try {
    return entry.bind(BindContext(arranged_.graph, node, origin, places_, settings.isa, settings.compute,
                                  settings.threads, settings.weights));
  } catch (const Error& error) {
    rethrow_with_place(error, place_of(arranged_.graph, node));
  }
}

std::unique_ptr<Step> Compiled::bind(NodeId id, const Settings& settings, std::string& choice, char& timed) const {
  const Node& node = arranged_.graph.node(id);
  if (!is_bindable(node)) return nullptr;
  if (is_view(arranged_.graph, node)) return view_step(node);
  const auto candidates = binders_of(node.kind);
  if (candidates.size() > 1 && settings.tuned != nullptr) {
    const std::string problem = problem_text(arranged_.graph, node, settings.isa, settings.compute, settings.threads);
    if (choice.empty()) choice = settings.tuned->find(problem);
    timed = choice == settings.tuned->find(problem) && settings.tuned->was_timed(problem) ? 1 : 0;
  }
  if (!choice.empty()) {
    for (const BinderEntry& entry : candidates) {
      if (entry.name != choice) continue;
      if (std::unique_ptr<Step> step = bind_candidate(id, entry, settings)) return step;
    }
  }
  for (const BinderEntry& entry : candidates) {
    if (std::unique_ptr<Step> step = bind_candidate(id, entry, settings)) {
      choice = entry.name;
      return step;
    }
  }
  return nullptr;
}

std::unique_ptr<Step> Compiled::view_step(const Node& node) const {
  const Tensor* constant = arranged_.graph.constant(node.inputs[0]);
  const std::byte* from =
      constant != nullptr ? constant->bytes().data() : places_[static_cast<std::size_t>(node.inputs[0])];
  std::byte* to = places_[static_cast<std::size_t>(node.output())];
  const auto bytes = static_cast<std::size_t>(plan_.at(node.output()).bytes);
  if (from == to) return make_step("view", [] {});
  return make_step("copy", [=] { std::memcpy(to, from, bytes); });
}

Tensor Compiled::arena_view(ValueId id) const {
  const ValueType& type = arranged_.graph.value(id).type;
  return Tensor::view(type.dtype, *concrete(*type.shape), arena_,
                      {places_[static_cast<std::size_t>(id)], static_cast<std::size_t>(plan_.at(id).bytes)});
}

reference::Datum Compiled::load(ValueId id) const {
  if (id == ValueId::None) return {};
  if (const Tensor* constant = arranged_.graph.constant(id)) return *constant;
  if (places_[static_cast<std::size_t>(id)] != nullptr) return arena_view(id);
  return held_[static_cast<std::size_t>(id)];
}

void Compiled::store(ValueId id, reference::Datum datum) {
  std::byte* place = places_[static_cast<std::size_t>(id)];
  if (place == nullptr) {
    held_[static_cast<std::size_t>(id)] = deep_copy(datum);  // it may share memory with the arena
    return;
  }
  const Value& value = arranged_.graph.value(id);
  const Tensor& tensor = datum.tensor();
  if (tensor.dtype() != value.type.dtype || tensor.shape() != *concrete(*value.type.shape)) {
    throw ModelError(cat("value ", adze::quoted(value.name), " is ", type_text(tensor), ", but was inferred as ",
                         type_text(value.type)));
  }
  if (!tensor.empty()) std::memmove(place, tensor.bytes().data(), tensor.bytes().size());
}

std::unique_ptr<Step> Compiled::reference_step(const Node& node) {
  const Graph& graph = arranged_.graph;
  if (reference::kernel_function(node.kind) == nullptr) {
    throw UnsupportedError(cat("operator ", op_name(node.kind), " cannot be run"), place_of(graph, node));
  }
  const auto store_all = [this, &node, &graph](std::vector<reference::Datum> outputs, bool skip_absent) {
    std::size_t next = 0;
    try {
      for (const ValueId output : node.outputs) {
        if (output == ValueId::None) {
          next += skip_absent ? 0 : 1;
          continue;
        }
        store(output, std::move(outputs[next++]));
      }
    } catch (const Error& error) {
      rethrow_with_place(error, place_of(graph, node));
    }
  };
  if (!has_subgraph(node)) {
    return make_step("reference", [this, &node, &graph, store_all] {
      std::vector<reference::Datum> inputs;
      for (const ValueId input : node.inputs) inputs.push_back(load(input));
      store_all(reference::run_node(graph, node, inputs), false);
    });
  }
  auto single = std::make_shared<const Graph>(alone(graph, node));
  std::vector<ValueId> reads;
  for (const ValueId input : single->inputs()) reads.push_back(graph.find_value(single->value(input).name));
  return make_step("reference", [this, single, reads, store_all] {
    std::vector<reference::Datum> inputs;
    for (const ValueId id : reads) inputs.push_back(load(id));
    store_all(reference::run(*single, std::move(inputs)), true);
  });
}

void Compiled::show(ValueId id, const Observer& observer) const {
  if (id == ValueId::None) return;
  const Arranged::Origin origin = arranged_.value_origins[static_cast<std::size_t>(id)];
  if (origin.value == ValueId::None) return;
  const reference::Datum datum = load(id);
  if (!datum.is_tensor()) return;
  const Tensor tensor = deep_copy(datum).tensor();
  if (!origin.channels_last) return observer(origin.value, tensor);
  // [N, spatial, C] → [N, C, spatial]
  const Shape& from = tensor.shape();
  Shape to = {from.front(), from.back()};
  to.insert(to.end(), from.begin() + 1, from.end() - 1);
  Tensor turned(tensor.dtype(), to);
  const std::int64_t batch = from.front(), channels = from.back();
  const std::int64_t pixels = batch * channels > 0 ? tensor.size() / (batch * channels) : 0;
  const std::int64_t width = dtype_bits(tensor.dtype()) / 8;
  const std::byte* source = tensor.bytes().data();
  std::byte* target = turned.mutable_bytes().data();
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      for (std::int64_t c = 0; c < channels; ++c) {
        std::memcpy(target + ((n * channels + c) * pixels + p) * width,
                    source + ((n * pixels + p) * channels + c) * width, static_cast<std::size_t>(width));
      }
    }
  }
  observer(origin.value, turned);
}

void Compiled::take_input(ValueId id, const Tensor& tensor) {
  std::byte* place = places_[static_cast<std::size_t>(id)];
  if (place == nullptr) return store(id, tensor);
  if (!tensor.empty()) std::memcpy(place, tensor.bytes().data(), tensor.bytes().size());
}

void Compiled::give_output(ValueId id, Tensor& tensor) const {
  const std::byte* place = places_[static_cast<std::size_t>(id)];
  const ValueType& type = arranged_.graph.value(id).type;
  if (place == nullptr || !has_type(tensor, type)) {
    tensor = deep_copy(load(id)).tensor();
  } else if (!tensor.empty()) {
    std::memcpy(tensor.mutable_bytes().data(), place, tensor.bytes().size());
  }
}

void Compiled::run(std::span<const Tensor> inputs, std::span<Tensor> outputs, const Observer* observer, bool timed) {
  const Graph& graph = arranged_.graph;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    take_input(graph.inputs()[i], inputs[i]);
    if (observer != nullptr) show(graph.inputs()[i], *observer);
  }
  check_cancelled();
  if (timed) steps();  // so that there is room for the times
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (timed) {
      const auto begin = std::chrono::steady_clock::now();
      steps_[i]->run();
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      StepInfo& info = infos_[i];
      info.least_seconds = info.calls == 0 ? seconds : std::min(info.least_seconds, seconds);
      info.seconds += seconds;
      ++info.calls;
    } else {
      steps_[i]->run();
    }
    if (observer != nullptr) {
      for (const ValueId output : graph.node(plan_.order[i]).outputs) show(output, *observer);
    }
    for (const ValueId id : released_[i]) held_[static_cast<std::size_t>(id)] = {};
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) give_output(graph.outputs()[i], outputs[i]);
}

}  // namespace adze::engine
