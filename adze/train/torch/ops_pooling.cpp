#include <ATen/ATen.h>

#include <limits>
#include <map>
#include <mutex>

#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/window.h"
#include "adze/train/torch/op_call.h"
#include "adze/train/torch/tensors.h"

namespace adze::train {

namespace {

using at::Tensor;
using Ints = std::vector<std::int64_t>;

Ints spatial_axes(const Tensor& x) {
  Ints axes;
  for (std::int64_t i = 2; i < x.dim(); ++i) axes.push_back(i);
  return axes;
}

Window window_for(OpCall& call) {
  const auto sizes = call.in(0).sizes();
  Window window = window_of(call.node, sizes.size() - 2);
  resolve_pads(window, Shape(sizes.begin() + 2, sizes.end()));
  return window;
}

/// Pads in libtorch's order, last axis first; with ceil_mode as many more at the end as the last window needs.
Ints pads_of(const Window& window, const Tensor& x) {
  Ints pads;
  for (std::size_t i = window.rank(); i-- > 0;) {
    const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
    const Dim output = window_output(window, i, Dim(size));
    const std::int64_t needed = (output.value - 1) * window.strides[i] + window.extent(i);
    const std::int64_t have = size + window.pads_begin[i] + window.pads_end[i];
    pads.push_back(window.pads_begin[i]);
    pads.push_back(window.pads_end[i] + std::max<std::int64_t>(0, needed - have));
  }
  return pads;
}

bool all_zero(const Ints& values) {
  return std::all_of(values.begin(), values.end(), [](std::int64_t value) { return value == 0; });
}

void max_pool(OpCall& call) {
  if (call.node.output(1) != ValueId::None) throw UnsupportedError("the indices of MaxPool have no gradient here");
  const Window window = window_for(call);
  const Tensor& x = call.in(0);
  const Ints pads = pads_of(window, x);
  const Tensor padded = all_zero(pads) ? x : at::constant_pad_nd(x, pads, -std::numeric_limits<double>::infinity());
  const Ints none(window.rank(), 0);
  switch (window.rank()) {
    case 1:
      return call.set(at::max_pool1d(padded, window.kernel, window.strides, none, window.dilations));
    case 2:
      return call.set(at::max_pool2d(padded, window.kernel, window.strides, none, window.dilations));
    case 3:
      return call.set(at::max_pool3d(padded, window.kernel, window.strides, none, window.dilations));
    default:
      throw UnsupportedError(cat("MaxPool over ", window.rank(), " dimensions"));
  }
}

Tensor mean_of_windows(const Tensor& x, const Window& window) {
  const Ints none(window.rank(), 0);
  switch (window.rank()) {
    case 1:
      return at::avg_pool1d(x, window.kernel, window.strides, none);
    case 2:
      return at::avg_pool2d(x, window.kernel, window.strides, none);
    case 3:
      return at::avg_pool3d(x, window.kernel, window.strides, none);
    default:
      throw UnsupportedError(cat("AveragePool over ", window.rank(), " dimensions"));
  }
}

/// The mean of the padded picture divided by the mean of what counts: 1 inside, and on pads with count_include_pad.
void average_pool(OpCall& call) {
  const Window window = window_for(call);
  if (std::any_of(window.dilations.begin(), window.dilations.end(), [](std::int64_t d) { return d != 1; })) {
    throw UnsupportedError("AveragePool with dilations has no gradient here");
  }
  const Tensor& x = call.in(0);
  const Ints pads = pads_of(window, x);
  if (all_zero(pads)) return call.set(mean_of_windows(x, window));
  Ints counted_shape{1, 1};
  counted_shape.insert(counted_shape.end(), x.sizes().begin() + 2, x.sizes().end());
  Tensor counted = at::ones(counted_shape, x.options().requires_grad(false));
  Ints rest = pads;
  if (call.node.get_int("count_include_pad") != 0) {
    Ints own;
    for (std::size_t i = window.rank(); i-- > 0;) {
      own.push_back(window.pads_begin[i]);
      own.push_back(window.pads_end[i]);
    }
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= own[i];
    counted = at::constant_pad_nd(counted, own, 1);
  }
  counted = at::constant_pad_nd(counted, rest);
  call.set(mean_of_windows(at::constant_pad_nd(x, pads), window) / mean_of_windows(counted, window));
}

/// The matrix [out, in] that Resize is along one axis, found by resizing the unit vectors with the reference: the same
/// weights in every mode. Kept by settings and sizes.
Tensor resize_matrix(const Node& node, std::int64_t in, std::int64_t out, float scale) {
  static std::mutex mutex;
  static std::map<std::string, Tensor> kept;
  std::string key = cat(in, ":", out, ":", scale);
  for (const char* name : {"coordinate_transformation_mode", "mode", "nearest_mode"}) {
    key += cat(":", node.get_string(name));
  }
  key +=
      cat(":", node.get_float("cubic_coeff_a"), ":", node.get_int("exclude_outside"), ":", node.get_int("antialias"));
  const std::lock_guard lock(mutex);
  if (const auto found = kept.find(key); found != kept.end()) return found->second;
  adze::Tensor unit(DType::F32, {in, in});
  for (std::int64_t i = 0; i < in; ++i) unit.mutable_data<float>()[static_cast<std::size_t>(i * in + i)] = 1;
  Node along_rows = node;
  along_rows.erase("axes");
  std::vector<reference::Datum> inputs(4);
  inputs[0] = unit;
  if (scale > 0) {
    inputs[2] = adze::Tensor::from<float>({2}, {1.0F, scale});
  } else {
    inputs[3] = adze::Tensor::ints({in, out});
  }
  const std::vector<reference::Datum> rows = reference::run_node(Graph(), along_rows, inputs);
  return kept.emplace(key, to_torch(rows[0].tensor()).t().contiguous()).first->second;
}

void resize(OpCall& call) {
  const Node& node = call.node;
  if (node.get_string("coordinate_transformation_mode") == "tf_crop_and_resize") {
    throw UnsupportedError("Resize with tf_crop_and_resize has no gradient here");
  }
  if (node.get_string("keep_aspect_ratio_policy") != "stretch") {
    throw UnsupportedError("Resize that keeps the aspect ratio has no gradient here");
  }
  Tensor x = call.in(0);
  Ints axes = node.get_ints("axes");
  if (axes.empty()) {
    for (std::int64_t i = 0; i < x.dim(); ++i) axes.push_back(i);
  }
  const bool by_size = call.has(3);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = call.axis(axes[i], x.dim()), in = x.size(axis);
    const double scale = by_size ? 0 : call.in(2).select(0, static_cast<std::int64_t>(i)).item<double>();
    const std::int64_t out =
        by_size ? call.ints(3)[i] : static_cast<std::int64_t>(std::floor(static_cast<double>(in) * scale));
    if (out == in && (by_size || scale == 1)) continue;
    const Tensor matrix = resize_matrix(node, in, out, static_cast<float>(scale)).to(x.options());
    x = at::matmul(x.movedim(axis, -1), matrix.t()).movedim(-1, axis);
  }
  call.set(x);
}

}  // namespace

std::span<const OpEntry> pooling_ops() {
  static const OpEntry entries[] = {
      {OpKind::AveragePool, average_pool},
      {OpKind::GlobalAveragePool, [](OpCall& c) { c.set(c.in(0).mean(spatial_axes(c.in(0)), true)); }},
      {OpKind::GlobalLpPool,
       [](OpCall& c) {
         const auto p = static_cast<double>(c.node.get_int("p"));
         c.set(at::pow(at::pow(at::abs(c.in(0)), p).sum(spatial_axes(c.in(0)), true), 1 / p));
       }},
      {OpKind::GlobalMaxPool, [](OpCall& c) { c.set(at::amax(c.in(0), spatial_axes(c.in(0)), true)); }},
      {OpKind::MaxPool, max_pool},
      {OpKind::Resize, resize},
  };
  return entries;
}

}  // namespace adze::train
