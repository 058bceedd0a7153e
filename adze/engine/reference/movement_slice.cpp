// Operators that cut tensors into pieces or put margins around them.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

/// The places start, start + step … before end, as NumPy's slices clamp them.
AxisMap slice_places(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) throw ModelError("the step of a slice is 0");
  // Beyond ±size every bound means the same; clamping first keeps the sums from overflowing.
  const auto resolve = [&](std::int64_t bound) {
    bound = std::clamp(bound, -size - 1, size);
    if (bound < 0) bound += size;
    return step > 0 ? std::clamp<std::int64_t>(bound, 0, size) : std::clamp<std::int64_t>(bound, -1, size - 1);
  };
  start = resolve(start);
  end = resolve(end);
  step = std::clamp(step, -size - 1, size + 1);
  AxisMap places;
  for (std::int64_t at = start; step > 0 ? at < end : at > end; at += step) places.push_back(at);
  return places;
}

std::vector<AxisMap> identity_maps(const Tensor& tensor) {
  std::vector<AxisMap> maps;
  for (const std::int64_t dim : tensor.shape()) maps.push_back(identity_map(dim));
  return maps;
}

/// Axes of an optional input, else 0 … count - 1.
std::vector<std::int64_t> axes_or_first(const Tensor* axes, std::size_t count, std::int64_t rank) {
  std::vector<std::int64_t> list = axes != nullptr ? int_list(*axes) : identity_map(static_cast<std::int64_t>(count));
  return checked_axes(std::move(list), rank);
}

void run_slice(Context& context) {
  const Tensor& input = context.input(0);
  const std::vector<std::int64_t> starts = int_list(context.input(1)), ends = int_list(context.input(2));
  const std::vector<std::int64_t> axes = axes_or_first(context.optional_input(3), starts.size(), input.rank());
  std::vector<std::int64_t> steps(starts.size(), 1);
  if (const Tensor* given = context.optional_input(4)) steps = int_list(*given);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    throw ModelError(cat("starts, ends, axes and steps have ", starts.size(), ", ", ends.size(), ", ", axes.size(),
                         " and ", steps.size(), " entries"));
  }
  std::vector<AxisMap> maps = identity_maps(input);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    maps[static_cast<std::size_t>(axes[i])] = slice_places(input.dim(axes[i]), starts[i], ends[i], steps[i]);
  }
  context.set(0, take_places(input, maps));
}

/// The lengths of the pieces: given, or equal with the last one smaller.
std::vector<std::int64_t> split_lengths(const Context& context, std::int64_t size) {
  if (const Tensor* given = context.optional_input(1)) {
    std::vector<std::int64_t> lengths = int_list(*given);
    std::int64_t sum = 0;
    for (const std::int64_t length : lengths) {
      if (length < 0) throw ModelError(cat("a piece has length ", length));
      sum = checked_add(sum, length, "sum of the pieces");
    }
    if (sum != size) throw ModelError(cat("the pieces add up to ", sum, ", the axis has ", size));
    return lengths;
  }
  const auto count = context.node().get_int("num_outputs", static_cast<std::int64_t>(context.num_outputs()));
  if (count <= 0) throw ModelError(cat("attribute num_outputs is ", count));
  if (static_cast<std::size_t>(count) != context.num_outputs()) {
    throw ModelError(cat("attribute num_outputs is ", count, ", the node has ", context.num_outputs(), " outputs"));
  }
  const std::int64_t length = size / count + (size % count != 0 ? 1 : 0);
  std::vector<std::int64_t> lengths;
  std::int64_t left = size;
  for (std::int64_t i = 0; i < count; ++i) {
    lengths.push_back(std::min(length, left));
    left -= lengths.back();
  }
  return lengths;
}

void run_split(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), input.rank());
  const std::vector<std::int64_t> lengths = split_lengths(context, input.dim(axis));
  if (lengths.size() != context.num_outputs()) {
    throw ModelError(cat("splits into ", lengths.size(), " pieces, the node has ", context.num_outputs(), " outputs"));
  }
  std::vector<AxisMap> maps = identity_maps(input);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    maps[static_cast<std::size_t>(axis)] = slice_places(input.dim(axis), begin, begin + lengths[i], 1);
    context.set(i, take_places(input, maps));
    begin += lengths[i];
  }
}

enum class PadMode { Constant, Edge, Reflect, Wrap };

PadMode pad_mode(const std::string& name) {
  if (name == "constant") return PadMode::Constant;
  if (name == "edge") return PadMode::Edge;
  if (name == "reflect") return PadMode::Reflect;
  if (name == "wrap") return PadMode::Wrap;
  throw ModelError(cat("attribute mode is ", quoted(name), ", expected constant, edge, reflect or wrap"));
}

/// Where place, which may lie outside 0 … size - 1, takes its element from.
std::int64_t padded_place(std::int64_t place, std::int64_t size, PadMode mode) {
  if (place >= 0 && place < size) return place;
  switch (mode) {
    case PadMode::Constant:
      return fill_place;
    case PadMode::Edge:
      return place < 0 ? 0 : size - 1;
    case PadMode::Wrap:
      return (place % size + size) % size;
    case PadMode::Reflect:
      break;
  }
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  const std::int64_t at = (place % period + period) % period;
  return at < size ? at : period - at;
}

/// Negative pads cut. Modes other than constant read what is left after cutting.
AxisMap pad_places(std::int64_t size, std::int64_t before, std::int64_t after, PadMode mode) {
  const std::int64_t begin = std::max<std::int64_t>(0, checked_sub(0, before, "pad"));
  const std::int64_t cut = std::max<std::int64_t>(0, checked_sub(0, after, "pad"));
  if (begin > size || cut > size - begin)
    throw ModelError(cat("pads ", before, " and ", after, " cut more than the dimension ", size));
  const std::int64_t kept = size - begin - cut;
  const std::int64_t length = checked_add(checked_add(size, before, "padded dimension"), after, "padded dimension");
  AxisMap places = make_axis_map(length);
  if (kept == 0 && length > 0 && mode != PadMode::Constant)
    throw ModelError("an empty dimension can only be padded with a constant");
  const std::int64_t shift = std::max<std::int64_t>(0, before);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::int64_t place = padded_place(static_cast<std::int64_t>(i) - shift, kept, mode);
    places[i] = place == fill_place ? fill_place : place + begin;
  }
  return places;
}

void run_pad(Context& context) {
  const Tensor& input = context.input(0);
  const std::vector<std::int64_t> pads = int_list(context.input(1));
  const PadMode mode = pad_mode(context.node().get_string("mode"));
  const Tensor* fill = context.optional_input(2);
  if (fill != nullptr && (fill->dtype() != input.dtype() || fill->size() != 1)) {
    throw ModelError(
        cat("the constant is ", type_text(*fill), ", expected one element of ", dtype_name(input.dtype())));
  }
  const std::vector<std::int64_t> axes = axes_or_first(context.optional_input(3), input.shape().size(), input.rank());
  if (pads.size() != 2 * axes.size()) {
    throw ModelError(cat("has ", pads.size(), " pads for ", axes.size(), " axes, expected twice as many"));
  }
  std::vector<AxisMap> maps = identity_maps(input);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    maps[static_cast<std::size_t>(axes[i])] = pad_places(input.dim(axes[i]), pads[i], pads[axes.size() + i], mode);
  }
  context.set(0, take_places(input, maps, fill));
}

/// Centred, an odd rest going to the end.
void run_center_crop_pad(Context& context) {
  const Tensor& input = context.input(0);
  const std::vector<std::int64_t> target = int_list(context.input(1));
  std::vector<std::int64_t> axes = identity_map(input.rank());
  if (context.node().has("axes")) axes = checked_axes(context.node().get_ints("axes"), input.rank());
  if (target.size() != axes.size()) throw ModelError(cat("has ", target.size(), " sizes for ", axes.size(), " axes"));
  std::vector<AxisMap> maps = identity_maps(input);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t size = input.dim(axes[i]);
    if (target[i] < 0) throw ModelError(cat("the wanted size ", target[i], " is negative"));
    const std::int64_t extra = target[i] - size;
    const std::int64_t before = extra >= 0 ? extra / 2 : -(-extra / 2);
    maps[static_cast<std::size_t>(axes[i])] = pad_places(size, before, extra - before, PadMode::Constant);
  }
  context.set(0, take_places(input, maps));
}

constexpr KernelEntry table[] = {
    {OpKind::CenterCropPad, run_center_crop_pad},
    {OpKind::Pad, run_pad},
    {OpKind::Slice, run_slice},
    {OpKind::Split, run_split},
};

}  // namespace

std::span<const KernelEntry> slice_kernels() {
  return table;
}

}  // namespace adze::reference::detail
