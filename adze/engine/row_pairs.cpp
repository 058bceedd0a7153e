#include "adze/engine/row_pairs.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "adze/base/text.h"
#include "adze/engine/steps/gate.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/graph/edit.h"

namespace adze::engine {

namespace {

constexpr const char *begins = "row_pair_begins", *ends = "row_pair_ends";
/// Where the first node's inputs begin among those of the second.
constexpr std::size_t first_inputs = gate_input + 1;
/// A result up to this size is mostly read again from the L2 cache as it is: pairs win nothing. Of a larger one so much
/// is kept there.
constexpr std::int64_t near_bytes = 5 << 19, buffer_bytes = 3 << 17;

std::optional<Shape> float_picture(const Graph& graph, ValueId id) {
  const ValueType& type = graph.value(id).type;
  if (!type.is_tensor() || type.dtype != DType::F32 || !type.shape || type.shape->size() != 4) return std::nullopt;
  const auto shape = concrete(*type.shape);
  return shape && shape->front() == 1 ? shape : std::nullopt;
}

enum class Kind : std::uint8_t { Depthwise, Pointwise, Other };

Kind kind_of(const Graph& graph, const Node& node) {
  if (node.kind != OpKind::Conv || node.get_int("channels_last", 0) == 0) return Kind::Other;
  if (node.has(begins) || node.has(ends) || node.inputs.size() > gate_input) return Kind::Other;
  const auto x = float_picture(graph, node.inputs[0]), y = float_picture(graph, node.output());
  const Tensor* weights = graph.constant(node.inputs[1]);
  if (!x || !y || weights == nullptr || (node.has("auto_pad") && node.get_string("auto_pad") != "NOTSET"))
    return Kind::Other;
  for (const std::int64_t dilation : node.get_ints("dilations")) {
    if (dilation != 1) return Kind::Other;
  }
  const std::int64_t group = node.get_int("group", 1);
  if (group > 1 && group == x->back() && group == y->back()) return Kind::Depthwise;
  const bool single = weights->dim(2) == 1 && weights->dim(3) == 1 && (*x)[1] == (*y)[1] && (*x)[2] == (*y)[2];
  return group == 1 && single ? Kind::Pointwise : Kind::Other;
}

/// Rows [first, last).
struct Rows {
  std::int64_t first, last;
  std::int64_t count() const { return last - first; }
};

/// One of the two convolutions and how its rows lie.
struct Layer {
  const Graph& graph;
  const Node& node;
  NodeId origin;
  std::int64_t in_rows, out_rows, in_row_bytes, out_row_bytes;
  std::int64_t kernel, stride, pad;

  Layer(const Graph& of, const Node& given, NodeId from) : graph(of), node(given), origin(from) {
    const Shape x = *float_picture(graph, node.inputs[0]), y = *float_picture(graph, node.output());
    in_rows = x[1];
    out_rows = y[1];
    in_row_bytes = x[2] * x[3] * 4;
    out_row_bytes = y[2] * y[3] * 4;
    kernel = graph.constant(node.inputs[1])->dim(2);
    const auto strides = node.get_ints("strides"), pads = node.get_ints("pads");
    stride = strides.empty() ? 1 : strides[0];
    pad = pads.empty() ? 0 : pads[0];
  }

  /// What it reads for some rows of its output.
  Rows needed(Rows out) const {
    return {std::max<std::int64_t>(0, out.first * stride - pad),
            std::min(in_rows, (out.last - 1) * stride + kernel - pad)};
  }
};

/// The layer for some of its rows: x and y point at their first ones.
std::unique_ptr<Step> bind_rows(const BindContext& context, const Layer& layer, Rows out, std::byte* x, std::byte* y,
                                std::byte* other, std::vector<std::unique_ptr<Graph>>& graphs) {
  const Rows in = layer.needed(out);
  auto rows = std::make_unique<Graph>();
  std::vector<std::byte*> places;
  const auto value = [&](ValueId id, std::int64_t count, std::byte* place) {
    Shape shape = *float_picture(layer.graph, id);
    shape[1] = count;
    const ValueId made = rows->add_value(layer.graph.value(id).name, ValueType::tensor(DType::F32, symbolic(shape)));
    places.resize(static_cast<std::size_t>(made) + 1, nullptr);
    places.back() = place;
    return made;
  };
  Node node = layer.node;
  node.inputs.resize(std::min(node.inputs.size(), gate_input));
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ValueId::None) continue;
    if (const Tensor* constant = layer.graph.constant(node.inputs[i])) {
      node.inputs[i] = rows->add_constant(layer.graph.value(node.inputs[i]).name, *constant);
    } else {
      node.inputs[i] = i == 0 ? value(node.inputs[i], in.count(), x) : value(node.inputs[i], out.count(), other);
    }
  }
  node.outputs[0] = value(node.outputs[0], out.count(), y);
  places.resize(static_cast<std::size_t>(rows->num_values()), nullptr);
  std::vector<std::int64_t> pads = node.get_ints("pads");
  if (pads.empty()) pads.assign(4, 0);
  pads[0] = std::max<std::int64_t>(0, layer.pad - out.first * layer.stride);
  pads[2] = std::max<std::int64_t>(0, (out.last - 1) * layer.stride + layer.kernel - layer.pad - layer.in_rows);
  node.set("pads", pads);
  const NodeId id = rows->add_node(std::move(node));
  graphs.push_back(std::move(rows));
  const Graph& graph = *graphs.back();
  const BindContext part(graph, graph.node(id), layer.origin, places, context.isa(), context.compute(), 1,
                         context.weights());
  for (const BinderEntry& entry : binders_of(OpKind::Conv)) {
    if (auto step = entry.bind(part)) return step;
  }
  throw InternalError(cat("no kernel for rows of ", layer.node.name));
}

/// Rows of the second layer with what is to be done before them.
struct Stripe {
  std::int64_t moved_from, moved_bytes;  ///< rows of the first layer that the stripe before left
  std::unique_ptr<Step> first, second;   ///< first: null where all rows are there
};

/// Stripes for one thread, with a buffer of their own, one after the other.
struct Chunk {
  std::byte* buffer;
  std::vector<Stripe> stripes;
};

class RowPairStep final : public Step {
 public:
  RowPairStep(std::vector<Chunk> chunks, std::vector<std::unique_ptr<Graph>> graphs)
      : chunks_(std::move(chunks)), graphs_(std::move(graphs)) {
    const Stripe& stripe = chunks_.front().stripes.front();
    kernel_ = cat("rows of ", stripe.first->kernel(), ", ", stripe.second->kernel());
  }

  void run() override {
    const auto count = static_cast<std::int64_t>(chunks_.size());
    run_parallel(static_cast<int>(count), count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_chunk(chunks_[static_cast<std::size_t>(i)]);
    });
  }
  std::string kernel() const override { return kernel_; }

 private:
  static void run_chunk(const Chunk& chunk) {
    for (const Stripe& stripe : chunk.stripes) {
      std::memmove(chunk.buffer, chunk.buffer + stripe.moved_from, static_cast<std::size_t>(stripe.moved_bytes));
      if (stripe.first) stripe.first->run();
      stripe.second->run();
    }
  }

  std::vector<Chunk> chunks_;
  std::vector<std::unique_ptr<Graph>> graphs_;  ///< steps may refer to them
  std::string kernel_;
};

}  // namespace

bool begins_row_pair(const Node& node) {
  return node.has(begins);
}
bool ends_row_pair(const Node& node) {
  return node.has(ends);
}
NodeId first_of_row_pair(const Graph& arranged, const Node& second) {
  return arranged.value(second.inputs[0]).producer;
}

void pair_rows(Graph& arranged) {
  struct Found {
    NodeId first, second;
    std::int64_t bytes;
  };
  const Uses uses(arranged);
  std::vector<Found> found;
  for (const NodeId id : arranged.node_ids()) {
    const Node& second = arranged.node(id);
    if (second.kind != OpKind::Conv || kind_of(arranged, second) == Kind::Other) continue;
    const Node* first = arranged.producer_of(second.inputs[0]);
    if (first == nullptr || !uses.single(second.inputs[0])) continue;
    const Kind kind = kind_of(arranged, *first);
    if (kind == Kind::Other || kind == kind_of(arranged, second)) continue;
    const std::int64_t bytes = 4 * num_elements(*float_picture(arranged, second.inputs[0]));
    if (bytes > near_bytes) found.push_back({arranged.value(second.inputs[0]).producer, id, bytes});
  }
  std::ranges::stable_sort(found, std::greater{}, &Found::bytes);
  for (const Found& pair : found) {
    Node& first = arranged.node(pair.first);
    Node& second = arranged.node(pair.second);
    if (first.has(begins) || first.has(ends) || second.has(begins) || second.has(ends)) continue;
    first.set(begins, std::int64_t{1});
    second.set(ends, std::int64_t{1});
    second.inputs.resize(first_inputs, ValueId::None);
    for (const ValueId input : first.inputs) {
      if (input != ValueId::None && arranged.constant(input) == nullptr) second.inputs.push_back(input);
    }
  }
}

std::unique_ptr<Step> bind_row_pair(const BindContext& context, NodeId first_id, NodeId first_origin,
                                    std::span<std::byte* const> places) {
  const Graph& graph = context.graph();
  const Layer first(graph, graph.node(first_id), first_origin), second(graph, context.node(), context.origin());
  const auto place = [&](ValueId id) { return places[static_cast<std::size_t>(id)]; };
  const auto other_of = [&](const Layer& layer, Rows out) -> std::byte* {
    const bool has = layer.node.inputs.size() > post_add_input && layer.node.inputs[post_add_input] != ValueId::None;
    return has ? place(layer.node.inputs[post_add_input]) + out.first * layer.out_row_bytes : nullptr;
  };
  std::byte* const buffers = place(second.node.inputs[0]);  // the first layer's result, which is never there as a whole
  const std::int64_t kept = std::max<std::int64_t>(second.kernel, buffer_bytes / first.out_row_bytes);
  const std::int64_t height = std::max<std::int64_t>(1, (kept - second.kernel) / second.stride + 1);
  const std::int64_t stripes = (second.out_rows + height - 1) / height;
  const std::int64_t most = std::max<std::int64_t>(1, std::min(stripes, first.out_rows / kept));
  const std::int64_t threads = std::clamp<std::int64_t>(context.threads(), 1, most);
  std::vector<std::unique_ptr<Graph>> graphs;
  std::vector<Chunk> chunks;
  for (std::int64_t t = 0; t < threads; ++t) {
    // A thread's buffer lies where its first rows would: there are as many rows for each as it needs at once.
    const std::int64_t begin = stripes * t / threads, end = stripes * (t + 1) / threads;
    Chunk chunk{buffers + t * (first.out_rows / threads) * first.out_row_bytes, {}};
    Rows before{0, 0};
    for (std::int64_t i = begin; i < end; ++i) {
      const Rows out{second.out_rows * i / stripes, second.out_rows * (i + 1) / stripes}, in = second.needed(out);
      const Rows fresh{i == begin ? in.first : std::max(in.first, before.last), in.last};
      Stripe stripe{0, 0, nullptr, nullptr};
      if (fresh.first > in.first) {
        stripe.moved_from = (in.first - before.first) * first.out_row_bytes;
        stripe.moved_bytes = (fresh.first - in.first) * first.out_row_bytes;
      }
      if (fresh.count() > 0) {
        stripe.first = bind_rows(
            context, first, fresh, place(first.node.inputs[0]) + first.needed(fresh).first * first.in_row_bytes,
            chunk.buffer + (fresh.first - in.first) * first.out_row_bytes, other_of(first, fresh), graphs);
      }
      stripe.second =
          bind_rows(context, second, out, chunk.buffer, place(second.node.output()) + out.first * second.out_row_bytes,
                    other_of(second, out), graphs);
      chunk.stripes.push_back(std::move(stripe));
      before = in;
    }
    chunks.push_back(std::move(chunk));
  }
  return std::make_unique<RowPairStep>(std::move(chunks), std::move(graphs));
}

}  // namespace adze::engine
