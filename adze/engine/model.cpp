#include "adze/engine/model.h"

#include <algorithm>
#include <map>

#include "adze/base/files.h"
#include "adze/base/hash.h"
#include "adze/base/memory.h"
#include "adze/engine/graph_codec.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/edit.h"
#include "adze/graph/infer.h"
#include "adze/plan/coded_weights.h"
#include "adze/plan/lower_integers.h"
#include "adze/plan/plan.h"

namespace adze::engine {

namespace {

/// Smaller constants count by their content, larger ones by where they are.
constexpr std::size_t small_bytes = 256;

bool is_quantized(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const OpKind kind = graph.node(id).kind;
    if (kind == OpKind::DequantizeLinear || kind == OpKind::QuantizeLinear) return true;
  }
  return false;
}

/// Operators whose results on constants are kept instead: weights stored in fewer bits or in another layout.
bool unpacks_weights(OpKind kind) {
  switch (kind) {
    case OpKind::DequantizeLinear:
    case OpKind::Cast:
    case OpKind::Transpose:
    case OpKind::Reshape:
    case OpKind::Squeeze:
    case OpKind::Unsqueeze:
    case OpKind::Identity:
      return true;
    default:
      return false;
  }
}

void fold_weights(Graph& graph) {
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (!unpacks_weights(node.kind) || node.outputs.size() != 1 || has_marked_codes(node)) continue;
    std::vector<reference::Datum> inputs;
    for (const ValueId input : node.inputs) {
      if (const Tensor* constant = std::as_const(graph).constant(input))
        inputs.emplace_back(*constant);
      else if (input == ValueId::None)
        inputs.emplace_back();
    }
    if (inputs.size() != node.inputs.size()) continue;
    std::vector<reference::Datum> outputs = reference::run_node(graph, node, inputs);
    const ValueId output = node.outputs[0];
    graph.remove_node(id);
    graph.value(output).constant = outputs[0].tensor();
  }
}

std::vector<Port> ports_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<Port> ports;
  for (const ValueId id : ids) ports.push_back({graph.value(id).name, graph.value(id).type});
  return ports;
}

Graph lowered(Graph graph, const LoweringOptions& options) {
  if (options.integer && is_quantized(graph)) graph = lower_integers(std::move(graph));
  mark_codes(graph, options.input_bits);
  remove_dead_nodes(graph);
  fold_weights(graph);
  graph.compact();
  infer_types(graph);
  return graph;
}

}  // namespace

void Model::prepare(Graph graph, const LoweringOptions& options, std::function<Graph()> read) {
  inputs_ = ports_of(graph, graph.inputs());
  outputs_ = ports_of(graph, graph.outputs());
  source_file_ = graph.source_file;
  options_ = options;
  read_ = std::move(read);
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const Tensor* constant = std::as_const(graph).constant(static_cast<ValueId>(i));
    if (constant != nullptr && constant->dtype() != DType::String && constant->bytes().size() >= small_bytes) {
      given_.push_back(*constant);
    }
  }
  graph_ = std::make_shared<const Graph>(lowered(std::move(graph), options_));
  trim_heap();  // what reading and lowering took
  release_files();
}

void Model::restore(StoredModel stored, const LoweringOptions& options, std::function<Graph()> read) {
  inputs_ = std::move(stored.inputs);
  outputs_ = std::move(stored.outputs);
  options_ = options;
  source_file_ = stored.blueprint->arranged.graph.source_file;
  read_ = std::move(read);
  restored_ = true;
  stored_ = std::move(stored.blueprint);
  stored_shapes_ = std::move(stored.shapes);
}

std::shared_ptr<const Graph> Model::graph() {
  if (!graph_) {
    graph_ = std::make_shared<const Graph>(lowered(read_(), options_));
    release_files();
  }
  return graph_;
}

bool Model::is_declared(const std::vector<Shape>& shapes) const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const ValueType& type = inputs_[i].type;
    if (!type.is_tensor() || !type.shape || concrete(*type.shape) != shapes[i]) return false;
  }
  return true;
}

std::shared_ptr<const Blueprint> Model::blueprint(const std::vector<Shape>& shapes, bool fuse) {
  if (fuse) {
    if (stored_ && stored_shapes_ == shapes) {
      const auto taken = std::exchange(stored_, nullptr);
      blueprints_.emplace_back(shapes, taken);
      return taken;
    }
    std::erase_if(blueprints_, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [known, blueprint] : blueprints_) {
      if (known != shapes) continue;
      if (auto found = blueprint.lock()) return found;
    }
  }
  std::shared_ptr<const Blueprint> drawn;
  if (is_declared(shapes)) {
    drawn = std::make_shared<const Blueprint>(draw_blueprint(*graph(), fuse));
    if (fuse && read_) graph_.reset();
  } else {
    std::map<std::string, Shape> by_name;
    for (std::size_t i = 0; i < shapes.size(); ++i) by_name[inputs_[i].name] = shapes[i];
    drawn = std::make_shared<const Blueprint>(draw_blueprint(with_input_shapes(*graph(), by_name), fuse));
  }
  trim_heap();
  if (fuse) blueprints_.emplace_back(shapes, drawn);
  return drawn;
}

void Model::release_files() const {
  std::filesystem::path released;
  const auto release = [&](const Tensor& constant) {
    if (constant.dtype() == DType::String || constant.bytes().size() < small_bytes) return;
    const auto place = MappedFile::locate(constant.bytes());
    if (!place || place->path == released) return;
    MappedFile::release_file(constant.bytes());
    released = place->path;
  };
  for (const Tensor& constant : given_) release(constant);
  for (std::int32_t i = 0; graph_ && i < graph_->num_values(); ++i) {
    if (const Tensor* constant = graph_->constant(static_cast<ValueId>(i))) release(*constant);
  }
}

std::shared_ptr<Model> share_model(const std::string& key) {
  if (key.empty()) return std::make_shared<Model>();
  static std::mutex& mutex = *new std::mutex;
  static auto& models = *new std::map<std::string, std::weak_ptr<Model>>;
  const std::lock_guard lock(mutex);
  std::erase_if(models, [](const auto& entry) { return entry.second.expired(); });
  if (auto known = models[key].lock()) return known;
  auto made = std::make_shared<Model>();
  models[key] = made;
  return made;
}

std::string graph_key(const Graph& graph) {
  ByteWriter structure;
  encode_graph(structure, graph, [](ByteWriter& to, const Tensor& tensor) {
    if (tensor.dtype() == DType::String) {
      for (const std::string& text : tensor.data<std::string>()) to.add_text(text);
      return;
    }
    const auto bytes = tensor.bytes();
    if (bytes.size() >= small_bytes) {
      to.add(bytes.data());
    } else {
      to.add_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  });
  return sha256_hex({reinterpret_cast<const std::byte*>(structure.bytes().data()), structure.bytes().size()});
}

}  // namespace adze::engine
