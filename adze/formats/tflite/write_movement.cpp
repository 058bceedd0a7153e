// Operators that change the shape or the order: reshape, transpose, join, repeat, choose.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

/// Does turning NCHW into NHWC leave the elements in the same order?
bool turning_is_free(const Shape& nchw) {
  return nchw.size() == 4 && (nchw[1] == 1 || checked_mul(nchw[2], nchw[3]) == 1);
}

std::optional<Quantization> scale_of(const Writer& w, const Step& step) {
  if (!step.quantized) return std::nullopt;
  return *w.quantization(step.node.input(0));
}

/// Reshape, Flatten, Squeeze, Unsqueeze: the result's shape says all.
void write_reshape(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  const Target& target = step.targets.at(0);
  const Shape from = w.shape(x), to = w.shape(target.raw);
  const bool from_last = w.lies_last(x) && from.size() == 4;
  const bool rows = to.size() == 2 && !from.empty() && to[0] == from[0];
  const bool folded = from_last && !turning_is_free(from) && rows && w.feeds_products_only(target.result);
  const bool keep = from_last && (turning_is_free(from) || folded);
  const bool to_last = turning_is_free(to) && w.wants_last(target.raw);
  if (folded) w.set_flattened(target.result, from);
  const std::int32_t input = w.operand(step, x, keep);
  std::vector<std::int64_t> shape = to_last ? in_file_order(to) : to;
  if (w.has_open_batch(target.raw) && w.has_open_batch(x)) shape[0] = -1;
  w.finish(step, {.code = 22, .options_kind = 17}, {input, w.ints(step.node.name + "/shape", shape)}, to_last,
           scale_of(w, step));
}

void write_transpose(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  const std::int64_t rank = w.rank(x);
  std::vector<std::int64_t> permutation = step.node.get_ints("perm");
  if (permutation.empty()) {
    for (std::int64_t axis = rank; axis-- > 0;) permutation.push_back(axis);
  }
  for (std::int64_t& axis : permutation) {
    axis = normalize_axis(axis, rank);
    if (w.lies_last(x) && rank == 4) axis = channels_last_axis[axis];
  }
  const bool last = rank == 4 && w.wants_last(step.targets.at(0).raw);
  if (last) permutation = in_file_order(permutation);
  const std::int32_t input = w.operand(step, x);
  if (std::ranges::is_sorted(permutation)) {
    w.alias(step, input, last);
    return;
  }
  if (rank > 6) throw UnsupportedError("TFLite transposes at most six dimensions");
  w.finish(step, {.code = 39, .options_kind = 26}, {input, w.ints(step.node.name + "/perm", permutation)}, last,
           scale_of(w, step));
}

void write_concat(Writer& w, const Step& step) {
  bool last = false;
  for (const ValueId x : step.node.inputs) last = last || (w.lies_last(x) && w.rank(x) == 4);
  const std::int64_t rank = w.rank(step.node.input(0));
  std::int64_t axis = normalize_axis(step.node.get_int("axis"), rank);
  if (last) axis = channels_last_axis[axis];
  std::optional<Quantization> scale;
  if (step.quantized) scale = *w.quantization(step.targets.at(0).result);
  std::vector<std::int32_t> inputs;
  for (const ValueId x : step.node.inputs) {
    const std::int32_t input = w.operand(step, x, last);
    inputs.push_back(scale ? w.rescaled(input, *scale) : input);
  }
  Emission emission{.code = 2, .options_kind = 10, .version = step.quantized ? 2 : 1};
  emission.fields = {option_field(field::concatenation::axis, checked_cast<std::int32_t>(axis))};
  emission.activation_field = field::concatenation::activation;
  w.finish(step, emission, std::move(inputs), last, scale);
}

void write_tile(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  std::vector<std::int64_t> repeats = w.constant_ints(step.node.input(1), "repeats");
  const bool last = w.lies_last(x) && w.rank(x) == 4;
  if (last) repeats = in_file_order(repeats);
  w.finish(step, {.code = 69, .options_kind = 51}, {w.operand(step, x), w.ints(step.node.name + "/repeats", repeats)},
           last, scale_of(w, step));
}

void write_expand(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  const Shape to = w.shape(step.targets.at(0).raw);
  w.finish(step, {.code = 130, .options_kind = 104}, {w.operand(step, x, false), w.ints(step.node.name + "/shape", to)},
           false, scale_of(w, step));
}

void write_gather(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0), at = step.node.input(1);
  const std::int64_t axis = normalize_axis(step.node.get_int("axis"), w.rank(x));
  std::int32_t indices = -1;
  if (const Tensor* content = w.stored_constant(at)) {  // negative ones count from the end; TFLite knows none
    Tensor positive(DType::S32, content->shape());
    for (std::int64_t i = 0; i < content->size(); ++i) {
      const std::int64_t index = content->get_int(i);
      positive.set_int(i, index < 0 ? index + w.shape(x)[static_cast<std::size_t>(axis)] : index);
    }
    indices = w.constant(w.graph().value(at).name, std::move(positive));
  } else {
    indices = w.operand(step, at, false);
  }
  Emission emission{.code = 36, .options_kind = 23};
  emission.fields = {option_field(field::gather::axis, checked_cast<std::int32_t>(axis))};
  w.finish(step, emission, {w.operand(step, x, false), indices}, false, scale_of(w, step));
}

constexpr WriteEntry table[] = {
    {OpKind::Reshape, LayoutNeed::Plain, Integers::SameScale, false, write_reshape},
    {OpKind::Flatten, LayoutNeed::Plain, Integers::SameScale, false, write_reshape},
    {OpKind::Squeeze, LayoutNeed::Plain, Integers::SameScale, false, write_reshape},
    {OpKind::Unsqueeze, LayoutNeed::Plain, Integers::SameScale, false, write_reshape},
    {OpKind::Transpose, LayoutNeed::Plain, Integers::SameScale, false, write_transpose},
    {OpKind::Concat, LayoutNeed::Follows, Integers::SameScale, true, write_concat},
    {OpKind::Tile, LayoutNeed::Follows, Integers::SameScale, false, write_tile},
    {OpKind::Expand, LayoutNeed::Plain, Integers::SameScale, false, write_expand},
    {OpKind::Gather, LayoutNeed::Plain, Integers::SameScale, false, write_gather},
};

}  // namespace

std::span<const WriteEntry> movement_writers() {
  return table;
}

}  // namespace adze::tflite
