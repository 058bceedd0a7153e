#include "adze/prune/gram.h"

#include <algorithm>
#include <unordered_map>

#include "adze/base/random.h"
#include "adze/graph/window.h"
#include "adze/prune/measuring.h"

namespace adze::prune {

namespace {

/// Adds x xᵀ, the upper triangle.
void add_outer(Gram& gram, std::span<const float> x) {
  const std::int64_t columns = gram.columns;
  for (std::int64_t i = 0; i < columns; ++i) {
    const double value = x[static_cast<std::size_t>(i)];
    if (value == 0) continue;
    double* row = gram.sums.data() + i * columns;
    for (std::int64_t j = i; j < columns; ++j) row[j] += value * x[static_cast<std::size_t>(j)];
  }
  ++gram.count;
}

void mirror(Gram& gram) {
  for (std::int64_t i = 0; i < gram.columns; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      gram.sums[static_cast<std::size_t>(i * gram.columns + j)] =
          gram.sums[static_cast<std::size_t>(j * gram.columns + i)];
    }
  }
}

/// The input under a convolution's window at one output position, as the weights lie: channel by channel.
void read_patch(const Tensor& x, const Window& window, std::int64_t sample, std::span<const std::int64_t> position,
                std::span<float> patch) {
  const auto data = x.data<float>();
  const Shape strides = row_major_strides(x.shape());
  const std::size_t rank = window.rank();
  std::int64_t kernel = 1;
  for (const std::int64_t size : window.kernel) kernel *= size;
  for (std::int64_t k = 0; k < kernel; ++k) {
    std::int64_t rest = k, offset = sample * strides[0];
    bool inside = true;
    for (std::size_t axis = rank; axis-- > 0;) {
      const std::int64_t at = position[axis] * window.strides[axis] - window.pads_begin[axis] +
                              rest % window.kernel[axis] * window.dilations[axis];
      rest /= window.kernel[axis];
      inside = inside && at >= 0 && at < x.dim(static_cast<std::int64_t>(axis) + 2);
      offset += at * strides[axis + 2];
    }
    for (std::int64_t channel = 0; channel < x.dim(1); ++channel) {
      patch[static_cast<std::size_t>(channel * kernel + k)] =
          inside ? data[static_cast<std::size_t>(offset + channel * strides[1])] : 0.0F;
    }
  }
}

/// Places are drawn at random, as many as asked for in this batch.
void add_convolution(Gram& gram, const Graph& graph, const Layer& layer, const Tensor& x, std::int64_t wanted,
                     Random& random) {
  const Node& node = graph.node(layer.node);
  const auto spatial = static_cast<std::size_t>(x.rank() - 2);
  const Shape& weight = graph.constant(layer.weight)->shape();
  Window window = window_of(node, spatial, symbolic(Shape(weight.begin() + 2, weight.end())));
  resolve_pads(window, Shape(x.shape().begin() + 2, x.shape().end()));
  std::vector<std::int64_t> sizes, position(spatial);
  for (std::size_t i = 0; i < spatial; ++i) {
    sizes.push_back(window_output(window, i, Dim(x.dim(static_cast<std::int64_t>(i) + 2))).value);
    if (sizes.back() < 1) return;
  }
  std::vector<float> patch(static_cast<std::size_t>(gram.columns));
  for (std::int64_t i = 0; i < wanted; ++i) {
    const auto sample = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(x.dim(0))));
    for (std::size_t axis = 0; axis < spatial; ++axis) {
      position[axis] = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(sizes[axis])));
    }
    read_patch(x, window, sample, position, patch);
    add_outer(gram, patch);
  }
}

/// Rows of the last axis.
void add_rows(Gram& gram, const Tensor& x, std::int64_t wanted, Random& random) {
  const auto data = x.data<float>();
  const auto columns = static_cast<std::size_t>(gram.columns);
  const std::size_t rows = data.size() / columns;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(wanted, static_cast<std::int64_t>(rows)); ++i) {
    const std::size_t row = rows <= static_cast<std::size_t>(wanted) ? static_cast<std::size_t>(i) : random.below(rows);
    add_outer(gram, data.subspan(row * columns, columns));
  }
}

bool measurable(const Graph& graph, const Layer& layer, const GramOptions& options) {
  const OpKind kind = graph.node(layer.node).kind;
  const bool known = kind == OpKind::Conv || kind == OpKind::Gemm || kind == OpKind::MatMul;
  return known && layer.groups == 1 && layer.columns <= options.max_columns;
}

}  // namespace

std::map<ValueId, Gram> measure_grams(const Graph& graph, std::span<const Layer> layers, const Batches& batches,
                                      const GramOptions& options, ProgressSink& progress) {
  if (batches.count == 0) throw UsageError("no data to measure layers' inputs on", "give --data");
  std::map<ValueId, Gram> grams;
  std::unordered_map<std::string, std::vector<const Layer*>> by_input;
  for (const Layer& layer : layers) {
    if (!measurable(graph, layer, options)) continue;
    Gram& gram = grams[layer.weight];
    gram.columns = layer.columns;
    gram.sums.resize(static_cast<std::size_t>(layer.columns * layer.columns));
    by_input[graph.value(layer.input).name].push_back(&layer);
  }
  Random random(1);
  Session session(graph, measuring_options());
  session.observe([&](std::string_view name, const Tensor& x) {
    const auto found = by_input.find(std::string(name));
    if (found == by_input.end() || x.dtype() != DType::F32) return;
    for (const Layer* layer : found->second) {
      Gram& gram = grams[layer->weight];
      const std::int64_t wanted = std::max<std::int64_t>(1, options.samples * layer->columns / batches.count);
      if (graph.node(layer->node).kind == OpKind::Conv) {
        add_convolution(gram, graph, *layer, x, wanted, random);
      } else {
        add_rows(gram, x, wanted, random);
      }
    }
  });
  ProgressPhase phase(progress, "layers' inputs", batches.count, "batches");
  for (std::int64_t i = 0; i < batches.count; ++i) {
    check_cancelled();
    session.run(batches.batch(i));
    phase.advance();
  }
  for (auto& [weight, gram] : grams) mirror(gram);
  return grams;
}

}  // namespace adze::prune
