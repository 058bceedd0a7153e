// Reductions, softmax and what normalizes along an axis.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

std::vector<std::int64_t> reduced_axes(const Writer& w, const Step& step) {
  const Node& node = step.node;
  const std::int64_t rank = w.rank(node.input(0));
  std::vector<std::int64_t> axes;
  if (node.kind == OpKind::GlobalAveragePool) {
    for (std::int64_t axis = 2; axis < rank; ++axis) axes.push_back(axis);
    return axes;
  }
  if (node.input(1) != ValueId::None) axes = w.constant_ints(node.input(1), "axes");
  for (std::int64_t& axis : axes) axis = normalize_axis(axis, rank);
  if (axes.empty() && node.get_int("noop_with_empty_axes") == 0) {
    for (std::int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  std::ranges::sort(axes);
  return axes;
}

/// Do the axes that stay have the same order in NHWC as in NCHW?
bool keeps_order(const std::vector<std::int64_t>& reduced) {
  std::int64_t previous = -1;
  for (std::int64_t axis = 0; axis < 4; ++axis) {
    if (std::ranges::find(reduced, axis) != reduced.end()) continue;
    if (channels_last_axis[axis] < previous) return false;
    previous = channels_last_axis[axis];
  }
  return true;
}

void write_reduce(Writer& w, const Step& step, std::int32_t code, bool same_scale) {
  const ValueId x = step.node.input(0);
  std::vector<std::int64_t> axes = reduced_axes(w, step);
  const bool keep = step.node.kind == OpKind::GlobalAveragePool || step.node.get_int("keepdims") != 0;
  const bool last = w.lies_last(x) && w.rank(x) == 4 && (keep || keeps_order(axes));
  if (last) {
    for (std::int64_t& axis : axes) axis = channels_last_axis[axis];
    std::ranges::sort(axes);
  }
  Emission emission{.code = code, .options_kind = 27, .version = step.quantized ? 2 : 1};
  emission.fields = {option_field<std::uint8_t>(field::reducer::keep_dims, keep)};
  std::optional<Quantization> own;
  if (same_scale && step.quantized) own = *w.quantization(x);
  w.finish(step, emission, {w.operand(step, x, last), w.ints(step.node.name + "/axes", axes)}, last && keep, own);
}

/// Softmax and its like work along the last axis of the file.
void write_normalize(Writer& w, const Step& step, const Emission& emission, const std::optional<Quantization>& own) {
  const ValueId x = step.node.input(0);
  const std::int64_t rank = w.rank(x), axis = normalize_axis(step.node.get_int("axis"), rank);
  const bool last = rank == 4 && axis == 1;
  if (last || axis == rank - 1) {
    w.finish(step, emission, {w.operand(step, x, last)}, last, own);
    return;
  }
  throw UnsupportedError(cat("axis ", axis, " of rank ", rank, " is not the last one of the file"));
}

/// The one output scale that TFLite's integer kernels of these operators have.
std::optional<Quantization> fixed(const Writer& w, const Step& step, float scale, std::int64_t signed_zero_point) {
  if (!step.quantized) return std::nullopt;
  const DType dtype = w.graph().value(step.targets.at(0).result).type.dtype;
  if (dtype == DType::S16) return Quantization{{1.0f / 32768}, {0}, 0};
  if (dtype_bits(dtype) != 8) return std::nullopt;
  return Quantization{{scale}, {signed_zero_point + (dtype == DType::U8 ? 128 : 0)}, 0};
}

void write_softmax(Writer& w, const Step& step) {
  Emission emission{.code = 25, .options_kind = 9, .version = step.quantized ? 2 : 1};
  emission.fields = {option_field(field::softmax::beta, 1.0f)};
  write_normalize(w, step, emission, fixed(w, step, 1.0f / 256, -128));
}

void write_log_softmax(Writer& w, const Step& step) {
  write_normalize(w, step, {.code = 50, .options_kind = 36, .version = step.quantized ? 2 : 1},
                  fixed(w, step, 16.0f / 256, 127));
}

void write_arg_extreme(Writer& w, const Step& step, std::int32_t code, std::uint8_t options) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  if (node.get_int("select_last_index") != 0) throw UnsupportedError("select_last_index has no form in TFLite");
  const std::int64_t axis = normalize_axis(node.get_int("axis"), w.rank(x));
  const bool last = w.lies_last(x) && w.rank(x) == 4 && keeps_order({axis});
  const std::int64_t in_file = last ? channels_last_axis[axis] : axis;
  const Target& target = step.targets.at(0);
  Emission emission{.code = code, .options_kind = options};
  emission.fields = {option_field(field::arg_extreme::output_type, tensor_type_of(DType::S64))};
  const std::vector<std::int32_t> inputs = {w.operand(step, x, last), w.ints(node.name + "/axis", {in_file})};
  if (node.get_int("keepdims") == 0) {
    w.finish(step, emission, inputs, false);
    return;
  }
  Shape shape = w.shape(x);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const std::int32_t flat = w.begin(target, false, false, std::nullopt);
  w.tensor(flat).shape = shape;
  w.tensor(flat).name = w.graph().value(target.raw).name + "/squeezed";
  w.add(emission, inputs, {flat});
  w.alias(step, w.reshaped(flat, w.shape(target.raw)), false);
}

constexpr WriteEntry reduce_entry(OpKind kind, Integers integers, WriteFunction write) {
  return {kind, LayoutNeed::Follows, integers, false, write};
}

constexpr WriteEntry table[] = {
    reduce_entry(OpKind::GlobalAveragePool, Integers::AnyScale,
                 [](Writer& w, const Step& step) { write_reduce(w, step, 40, false); }),
    reduce_entry(OpKind::ReduceMean, Integers::AnyScale,
                 [](Writer& w, const Step& step) { write_reduce(w, step, 40, false); }),
    reduce_entry(OpKind::ReduceSum, Integers::None,
                 [](Writer& w, const Step& step) { write_reduce(w, step, 74, false); }),
    reduce_entry(OpKind::ReduceProd, Integers::None,
                 [](Writer& w, const Step& step) { write_reduce(w, step, 81, false); }),
    reduce_entry(OpKind::ReduceMax, Integers::SameScale,
                 [](Writer& w, const Step& step) { write_reduce(w, step, 82, true); }),
    reduce_entry(OpKind::ReduceMin, Integers::SameScale,
                 [](Writer& w, const Step& step) { write_reduce(w, step, 89, true); }),
    reduce_entry(OpKind::Softmax, Integers::FixedScale, write_softmax),
    reduce_entry(OpKind::LogSoftmax, Integers::FixedScale, write_log_softmax),
    {OpKind::ArgMax, LayoutNeed::Plain, Integers::None, false,
     [](Writer& w, const Step& step) { write_arg_extreme(w, step, 56, 40); }},
    {OpKind::ArgMin, LayoutNeed::Plain, Integers::None, false,
     [](Writer& w, const Step& step) { write_arg_extreme(w, step, 79, 57); }},
};

}  // namespace

std::span<const WriteEntry> reduction_writers() {
  return table;
}

}  // namespace adze::tflite
