// Operators that cut out or add a border: slices, splits, pads.
#include <algorithm>
#include <limits>

#include "adze/base/checked.h"
#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

std::optional<Quantization> scale_of(const Writer& w, const Step& step) {
  if (!step.quantized) return std::nullopt;
  return *w.quantization(step.node.input(0));
}

/// The value that a Pad writes, in the type and scale of the padded tensor.
std::int32_t fill_tensor(Writer& w, std::int32_t like, float value) {
  const std::string name = w.tensor(like).name + "/fill";
  const auto scale = w.tensor(like).quantization;
  Tensor content(w.tensor(like).dtype, {});
  if (!scale) {
    content.set_double(0, static_cast<double>(value));
    return w.constant(name, std::move(content));
  }
  const double exact = static_cast<double>(value / scale->scales[0]) + static_cast<double>(scale->zero_points[0]);
  const auto low = static_cast<double>(integer_min(content.dtype()));
  const auto high = static_cast<double>(integer_max(content.dtype()));
  content.set_int(0, static_cast<std::int64_t>(std::clamp(exact < 0 ? exact - 0.5 : exact + 0.5, low, high)));
  return w.constant(name, std::move(content), scale);
}

void write_pad(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  const auto rank = static_cast<std::size_t>(w.rank(x));
  const std::vector<std::int64_t> given = w.constant_ints(node.input(1), "pads");
  std::vector<std::int64_t> before(rank, 0), after(rank, 0), axes;
  if (node.input(3) != ValueId::None) axes = w.constant_ints(node.input(3), "axes");
  for (std::size_t i = 0; i < given.size() / 2; ++i) {
    const auto axis =
        axes.empty() ? i : static_cast<std::size_t>(normalize_axis(axes[i], static_cast<std::int64_t>(rank)));
    before[axis] = given[i];
    after[axis] = given[i + given.size() / 2];
  }
  const auto negative = [](std::int64_t pad) { return pad < 0; };
  if (std::ranges::any_of(before, negative) || std::ranges::any_of(after, negative)) {
    throw UnsupportedError("negative pads have no form in TFLite");
  }
  const bool last = w.lies_last(x) && rank == 4;
  if (last) {
    before = in_file_order(before);
    after = in_file_order(after);
  }
  Tensor paddings(DType::S32, {static_cast<std::int64_t>(rank), 2});
  for (std::size_t axis = 0; axis < rank; ++axis) {
    paddings.set_int(static_cast<std::int64_t>(2 * axis), before[axis]);
    paddings.set_int(static_cast<std::int64_t>(2 * axis + 1), after[axis]);
  }
  const std::int32_t input = w.operand(step, x);
  std::vector<std::int32_t> inputs = {input, w.constant(node.name + "/paddings", std::move(paddings))};
  const std::string mode = node.get_string("mode");
  if (mode == "reflect") {
    Emission emission{.code = 100, .options_kind = 77};
    emission.fields = {option_field<std::int8_t>(field::mirror_pad::mode, 0)};
    w.finish(step, emission, std::move(inputs), last, scale_of(w, step));
    return;
  }
  if (!mode.empty() && mode != "constant")
    throw UnsupportedError(cat("padding of mode ", mode, " has no form in TFLite"));
  float value = 0.0f;
  if (node.input(2) != ValueId::None) value = w.float_constant(node.input(2)).data<float>()[0];
  if (value == 0.0f) {
    w.finish(step, {.code = 34, .options_kind = 22, .version = step.quantized ? 2 : 1}, std::move(inputs), last,
             scale_of(w, step));
    return;
  }
  inputs.push_back(fill_tensor(w, input, value));
  w.finish(step, {.code = 60, .options_kind = 42, .version = step.quantized ? 2 : 1}, std::move(inputs), last,
           scale_of(w, step));
}

void write_slice(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  const Shape shape = w.shape(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::vector<std::int64_t> starts = w.constant_ints(node.input(1), "starts");
  const std::vector<std::int64_t> ends = w.constant_ints(node.input(2), "ends");
  std::vector<std::int64_t> axes, steps(starts.size(), 1);
  if (node.input(3) != ValueId::None) axes = w.constant_ints(node.input(3), "axes");
  if (node.input(4) != ValueId::None) steps = w.constant_ints(node.input(4), "steps");
  std::vector<std::int64_t> begin(shape.size(), 0), end = shape, stride(shape.size(), 1), end_mask(shape.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis =
        static_cast<std::size_t>(axes.empty() ? static_cast<std::int64_t>(i) : normalize_axis(axes[i], rank));
    const std::int64_t size = shape[axis];
    const auto bound = [&](std::int64_t at) { return std::clamp(at < 0 ? at + size : at, std::int64_t{0}, size); };
    if (steps[i] < 1) throw UnsupportedError("slices that run backwards are not written");
    begin[axis] = bound(std::max(starts[i], -size));
    const std::int64_t last = ends[i] < -size ? 0 : bound(ends[i]);
    end[axis] = last;
    end_mask[axis] = ends[i] >= size ? 1 : 0;
    stride[axis] = steps[i];
  }
  const bool last = w.lies_last(x) && rank == 4;
  if (last) {
    for (auto* list : {&begin, &end, &stride, &end_mask}) *list = in_file_order(*list);
  }
  std::int32_t mask = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) mask |= static_cast<std::int32_t>(end_mask[axis]) << axis;
  Emission emission{.code = 45, .options_kind = 32, .version = step.quantized ? 2 : 1};
  emission.fields = {option_field(field::strided_slice::begin_mask, std::int32_t{0}),
                     option_field(field::strided_slice::end_mask, mask)};
  w.finish(step, emission,
           {w.operand(step, x), w.ints(node.name + "/begin", begin), w.ints(node.name + "/end", end),
            w.ints(node.name + "/strides", stride)},
           last, scale_of(w, step));
}

void write_split(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  const std::int64_t rank = w.rank(x), given = normalize_axis(node.get_int("axis"), rank);
  const bool last = w.lies_last(x) && rank == 4;
  const std::int64_t axis = last ? channels_last_axis[given] : given;
  if (step.targets.size() != node.outputs.size()) throw UnsupportedError("an output of the Split is not read");
  std::vector<std::int64_t> sizes;
  for (const ValueId output : node.outputs) sizes.push_back(w.shape(output)[static_cast<std::size_t>(given)]);
  Emission emission{.code = 102, .options_kind = 79};
  emission.fields = {option_field(field::split::num_splits, checked_cast<std::int32_t>(std::ssize(sizes)))};
  Tensor where(DType::S32, {});
  where.set_int(0, axis);
  w.finish_many(step, emission,
                {w.operand(step, x), w.ints(node.name + "/sizes", sizes), w.constant(node.name + "/axis", where)}, last,
                scale_of(w, step));
}

constexpr WriteEntry table[] = {
    {OpKind::Pad, LayoutNeed::Follows, Integers::SameScale, false, write_pad},
    {OpKind::Slice, LayoutNeed::Follows, Integers::SameScale, false, write_slice},
    {OpKind::Split, LayoutNeed::Follows, Integers::SameScale, false, write_split},
};

}  // namespace

std::span<const WriteEntry> slicing_writers() {
  return table;
}

}  // namespace adze::tflite
