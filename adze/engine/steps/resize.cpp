#include "adze/engine/steps/resize.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "adze/base/checked.h"
#include "adze/engine/reference/reference.h"

namespace adze::engine {

namespace {

/// Along one axis every output is a weighted sum of inputs: taps of output i are [starts[i], starts[i + 1]).
struct AxisWeights {
  std::int64_t in = 0, out = 0;
  std::vector<std::int64_t> starts, sources;
  std::vector<float> weights;
};

/// The taps of the node along one axis, from the reference resizing unit vectors: its weights in every mode.
AxisWeights weights_of(const BindContext& context, std::int64_t in, std::int64_t out, float scale) {
  Tensor unit(DType::F32, {in, in});
  for (std::int64_t i = 0; i < in; ++i) unit.mutable_data<float>()[static_cast<std::size_t>(i * in + i)] = 1;
  Node along_rows = context.node();
  along_rows.erase("axes");
  std::vector<reference::Datum> inputs(4);
  inputs[0] = unit;
  if (scale > 0) {
    inputs[2] = Tensor::from<float>({2}, {1.0F, scale});
  } else {
    inputs[3] = Tensor::ints({in, out});
  }
  const std::vector<reference::Datum> resized = reference::run_node(context.graph(), along_rows, inputs);
  const auto matrix = resized[0].tensor().data<float>();
  AxisWeights result{in, out, {0}, {}, {}};
  for (std::int64_t to = 0; to < out; ++to) {
    for (std::int64_t from = 0; from < in; ++from) {
      const float weight = matrix[static_cast<std::size_t>(from * out + to)];
      if (weight == 0) continue;
      result.sources.push_back(from);
      result.weights.push_back(weight);
    }
    result.starts.push_back(static_cast<std::int64_t>(result.sources.size()));
  }
  return result;
}

/// y [out] from x [in].
void resize_line(const AxisWeights& axis, const float* x, float* y) {
  const std::int64_t* starts = axis.starts.data();
  for (std::int64_t to = 0; to < axis.out; ++to) {
    const std::int64_t* sources = axis.sources.data() + starts[to];
    const float* weights = axis.weights.data() + starts[to];
    const std::int64_t taps = starts[to + 1] - starts[to];
    float sum = taps > 0 ? weights[0] * x[sources[0]] : 0.0F;
    for (std::int64_t tap = 1; tap < taps; ++tap) sum += weights[tap] * x[sources[tap]];
    y[to] = sum;
  }
}

/// y [out, inner] from x [in, inner].
void resize_rows(const AxisWeights& axis, std::int64_t inner, const float* x, float* __restrict y) {
  if (inner == 1) return resize_line(axis, x, y);
  for (std::int64_t to = 0; to < axis.out; ++to, y += inner) {
    const std::int64_t first = axis.starts[static_cast<std::size_t>(to)];
    const std::int64_t last = axis.starts[static_cast<std::size_t>(to) + 1];
    for (std::int64_t tap = first; tap < last; ++tap) {
      const float weight = axis.weights[static_cast<std::size_t>(tap)];
      const float* __restrict row = x + axis.sources[static_cast<std::size_t>(tap)] * inner;
      if (tap == first) {
        for (std::int64_t i = 0; i < inner; ++i) y[i] = weight * row[i];
      } else {
        for (std::int64_t i = 0; i < inner; ++i) y[i] += weight * row[i];
      }
    }
    if (first == last) std::fill(y, y + inner, 0.0F);
  }
}

/// One axis of the tensor as it is when its turn comes: [outer, in, inner] → [outer, out, inner].
struct Pass {
  AxisWeights axis;
  std::int64_t outer = 1, inner = 1;
};

/// Which entries of scales or sizes speak of which axis.
std::vector<std::int64_t> axes_of(const Node& node, std::int64_t rank) {
  std::vector<std::int64_t> axes = node.get_ints("axes");
  for (std::int64_t& axis : axes) axis = normalize_axis(axis, rank);
  for (std::int64_t i = 0; axes.size() < static_cast<std::size_t>(rank) && node.get_ints("axes").empty(); ++i) {
    axes.push_back(i);
  }
  return axes;
}

bool can_run(const BindContext& context) {
  const Node& node = context.node();
  if (context.dtype(0) != DType::F32 || context.channels_last()) return false;
  if (node.get_string("coordinate_transformation_mode") == "tf_crop_and_resize") return false;
  if (node.get_string("keep_aspect_ratio_policy") != "stretch") return false;
  const auto given = [&](std::size_t i) {
    return context.has(i) && context.constant(i) != nullptr && !context.constant(i)->empty();
  };
  return given(2) != given(3);
}

}  // namespace

std::unique_ptr<Step> bind_resize_weighted(const BindContext& context) {
  if (!can_run(context)) return nullptr;
  Shape shape = context.shape(0);
  const Shape wanted = context.output_shape();
  const bool by_scale = context.has(2) && !context.constant(2)->empty();
  const std::vector<std::int64_t> axes = axes_of(context.node(), static_cast<std::int64_t>(shape.size()));
  std::vector<Pass> passes;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<std::size_t>(axes[i]);
    const auto scale =
        by_scale ? static_cast<float>(context.constant(2)->get_double(static_cast<std::int64_t>(i))) : 0.0F;
    if (shape[at] == wanted[at] && (!by_scale || scale == 1.0F)) continue;
    Pass pass{weights_of(context, shape[at], wanted[at], scale)};
    pass.outer = num_elements(Shape(shape.begin(), shape.begin() + axes[i]));
    pass.inner = num_elements(Shape(shape.begin() + axes[i] + 1, shape.end()));
    shape[at] = wanted[at];
    largest = std::max(largest, num_elements(shape));
    passes.push_back(std::move(pass));
  }
  if (passes.empty()) return nullptr;
  const float* x = context.in<float>(0);
  float* y = context.out<float>();
  // What lies between two passes; the last one writes the output.
  auto scratch = std::make_shared<std::vector<float>>(passes.size() > 1 ? 2 * static_cast<std::size_t>(largest) : 0);
  const int threads = context.threads();
  return make_step("resize", [=, passes = std::move(passes)] {
    const float* from = x;
    for (std::size_t p = 0; p < passes.size(); ++p) {
      const Pass& pass = passes[p];
      float* to = p + 1 == passes.size() ? y : scratch->data() + static_cast<std::int64_t>(p % 2) * largest;
      const std::int64_t in = pass.axis.in * pass.inner, out = pass.axis.out * pass.inner;
      run_parallel(threads, pass.outer, std::max<std::int64_t>(1, 16384 / out),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t o = begin; o < end; ++o)
                       resize_rows(pass.axis, pass.inner, from + o * in, to + o * out);
                   });
      from = to;
    }
  });
}

}  // namespace adze::engine
