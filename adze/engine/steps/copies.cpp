#include "adze/engine/steps/copies.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "adze/engine/reference/reference.h"
#include "adze/engine/steps/mapped_copy.h"

namespace adze::engine {

namespace {

constexpr std::int64_t byte_grain = 1 << 15;

using Map = std::vector<std::int64_t>;

std::vector<Map> whole_maps(const Shape& shape) {
  std::vector<Map> maps;
  for (const std::int64_t size : shape) {
    maps.emplace_back(static_cast<std::size_t>(size));
    std::iota(maps.back().begin(), maps.back().end(), 0);
  }
  return maps;
}

std::unique_ptr<Step> copy_step(const BindContext& context, const char* name, const std::vector<Map>& maps,
                                const std::byte* fill = nullptr) {
  const std::int64_t bits = dtype_bits(context.dtype(0));
  if (bits < 8) return nullptr;
  auto copy = std::make_shared<const MappedCopy>(context.shape(0), maps, bits / 8, fill);
  if (copy->rows() * copy->row_bytes() * 8 != num_elements(context.output_shape()) * bits) return nullptr;
  const std::byte* x = context.in_bytes(0);
  auto* y = context.out<std::byte>();
  const int threads = context.threads();
  return make_step(name, [=] {
    run_parallel(threads, copy->rows(), std::max<std::int64_t>(1, byte_grain / copy->row_bytes()),
                 [&](std::int64_t begin, std::int64_t end) { copy->run(x, y, begin, end); });
  });
}

std::optional<std::vector<std::int64_t>> integers(const BindContext& context, std::size_t i) {
  const Tensor* tensor = context.constant(i);
  if (tensor == nullptr || !is_integer(tensor->dtype())) return std::nullopt;
  return to_ints(*tensor);
}

/// The axes input, or all axes.
std::optional<std::vector<std::int64_t>> axes_of(const BindContext& context, std::size_t i, std::int64_t count) {
  std::vector<std::int64_t> axes(static_cast<std::size_t>(count));
  std::iota(axes.begin(), axes.end(), 0);
  if (context.has(i)) {
    const auto given = integers(context, i);
    if (!given || std::ssize(*given) != count) return std::nullopt;
    axes = *given;
  }
  for (std::int64_t& axis : axes) axis = normalize_axis(axis, static_cast<std::int64_t>(context.shape(0).size()));
  return axes;
}

/// Where index of a padded axis comes from; -1: the fill, nothing: the mode does not say for pads that large.
std::optional<std::int64_t> padded_index(std::int64_t index, std::int64_t size, const std::string& mode) {
  if (index >= 0 && index < size) return index;
  if (mode == "constant") return -1;
  if (mode == "edge") return std::clamp<std::int64_t>(index, 0, size - 1);
  if (mode == "wrap") return (index % size + size) % size;
  const std::int64_t reflected = index < 0 ? -index : 2 * (size - 1) - index;
  if (mode != "reflect" || reflected < 0 || reflected >= size) return std::nullopt;
  return reflected;
}

/// The nearest neighbours along one axis, as the reference has them: it resizes the numbers of that axis.
std::optional<Map> nearest_map(const BindContext& context, std::size_t axis) {
  const Shape x = context.shape(0), y = context.output_shape();
  const std::size_t given = context.has(3) ? 3 : 2;
  const Tensor* factors = context.constant(given);
  if (factors == nullptr || factors->size() != std::ssize(x)) return std::nullopt;
  Shape line(x.size(), 1);
  line[axis] = x[axis];
  Tensor numbers(DType::F32, line), alone(factors->dtype(), factors->shape());
  std::iota(numbers.mutable_data<float>().begin(), numbers.mutable_data<float>().end(), 0.0f);
  for (std::int64_t i = 0; i < alone.size(); ++i) {
    alone.set_double(i, i == static_cast<std::int64_t>(axis) ? factors->get_double(i) : 1.0);
  }
  Graph graph;
  Node node = context.node();
  node.inputs = {graph.add_input("x", ValueType::tensor(DType::F32, symbolic(line))), ValueId::None, ValueId::None,
                 ValueId::None};
  node.inputs[given] = graph.add_constant("factors", alone);
  node.outputs = {graph.add_value("y")};
  graph.add_node(std::move(node));
  graph.add_output(graph.find_value("y"));
  const Tensor found = reference::run_tensors(graph, {numbers}).at(0);
  if (found.size() != y[axis]) return std::nullopt;
  Map map;
  for (const float number : found.data<float>()) map.push_back(static_cast<std::int64_t>(number));
  return map;
}

}  // namespace

std::unique_ptr<Step> bind_slice(const BindContext& context) {
  const auto starts = integers(context, 1);
  if (!starts) return nullptr;
  const std::int64_t count = std::ssize(*starts);
  const auto axes = axes_of(context, 3, count);
  const auto steps = context.has(4) ? integers(context, 4) : std::vector<std::int64_t>(starts->size(), 1);
  if (!axes || !steps || std::ssize(*steps) != count) return nullptr;
  const Shape x = context.shape(0), y = context.output_shape();
  std::vector<Map> maps = whole_maps(x);
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = static_cast<std::size_t>((*axes)[i]);
    const std::int64_t size = x[axis], step = (*steps)[i];
    std::int64_t index = (*starts)[i] < 0 ? (*starts)[i] + size : (*starts)[i];
    index = std::clamp<std::int64_t>(index, 0, step > 0 ? size : size - 1);
    maps[axis].clear();
    for (std::int64_t k = 0; k < y[axis]; ++k, index += step) {
      if (index < 0 || index >= size) return nullptr;
      maps[axis].push_back(index);
    }
  }
  return copy_step(context, "slice", maps);
}

std::unique_ptr<Step> bind_pad(const BindContext& context) {
  const auto pads = integers(context, 1);
  if (!pads || pads->size() % 2 != 0) return nullptr;
  const std::size_t count = pads->size() / 2;
  const auto axes = axes_of(context, 3, static_cast<std::int64_t>(count));
  const std::string mode = context.node().get_string("mode");
  if (!axes || (mode != "constant" && *std::min_element(pads->begin(), pads->end()) < 0)) return nullptr;
  if (context.has(2) && (context.constant(2) == nullptr || context.dtype(2) != context.dtype(0))) return nullptr;
  std::vector<std::byte> fill(8, std::byte{0});
  if (context.has(2)) std::ranges::copy(context.constant(2)->bytes(), fill.begin());
  const Shape x = context.shape(0), y = context.output_shape();
  std::vector<Map> maps = whole_maps(x);
  for (std::size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<std::size_t>((*axes)[i]);
    maps[axis].clear();
    for (std::int64_t k = 0; k < y[axis]; ++k) {
      const auto index = padded_index(k - (*pads)[i], x[axis], mode);
      if (!index) return nullptr;
      maps[axis].push_back(*index);
    }
  }
  return copy_step(context, "pad", maps, fill.data());
}

std::unique_ptr<Step> bind_gather(const BindContext& context) {
  const auto indices = integers(context, 1);
  if (!indices || context.constant(1)->rank() > 1) return nullptr;
  const Shape x = context.shape(0);
  const auto axis =
      static_cast<std::size_t>(normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(x.size())));
  std::vector<Map> maps = whole_maps(x);
  maps[axis].clear();
  for (const std::int64_t index : *indices) {
    if (index < -x[axis] || index >= x[axis]) return nullptr;  // the other says what is wrong
    maps[axis].push_back(index < 0 ? index + x[axis] : index);
  }
  return copy_step(context, "gather", maps);
}

std::unique_ptr<Step> bind_resize_nearest(const BindContext& context) {
  const Node& node = context.node();
  if (node.get_string("mode") != "nearest" || node.has("axes") ||
      node.get_string("coordinate_transformation_mode") == "tf_crop_and_resize" ||
      node.get_string("keep_aspect_ratio_policy") != "stretch") {
    return nullptr;
  }
  std::vector<Map> maps = whole_maps(context.shape(0));
  for (std::size_t axis = 0; axis < maps.size(); ++axis) {
    const auto map = nearest_map(context, axis);
    if (!map) return nullptr;
    maps[axis] = *map;
  }
  return copy_step(context, "resize_nearest", maps);
}

}  // namespace adze::engine
