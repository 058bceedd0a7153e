// Operators that change the shape or the order: reshape, transpose, join, repeat.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/formats/tflite/translator.h"

namespace adze::tflite {

namespace {

/// Would turning NHWC into NCHW leave the elements in the same order?
bool turning_is_free(const Shape& nhwc) {
  return nhwc.size() == 4 && (nhwc[3] == 1 || checked_mul(nhwc[1], nhwc[2]) == 1);
}

Shape turned(const Shape& nhwc) {
  return {nhwc[0], nhwc[3], nhwc[1], nhwc[2]};
}

/// The target of a Reshape that also works for other batch sizes: the first dimension follows when it stays.
std::vector<std::int64_t> batch_free(const Shape& from, Shape to) {
  if (!from.empty() && !to.empty() && from[0] == to[0] && std::ranges::count(to, 0) == 0) to[0] = -1;
  return to;
}

/// RESHAPE, SQUEEZE, EXPAND_DIMS: the declared output shape says all.
void translate_reshape(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  const Shape& from = t.info(x).shape;
  const Shape& to = t.info(y).shape;
  if (num_elements(from) != num_elements(to)) {
    throw ModelError(cat("cannot reshape ", shape_text(from), " to ", shape_text(to)));
  }
  const bool free_source = t.layout(x) == Layout::Plain || turning_is_free(from);
  const bool rows = to.size() == 2 && !from.empty() && to[0] == from[0];
  const bool folded = !free_source && rows && t.feeds_fully_connected_only(y);
  const ValueId value = t.numbers(x, free_source || folded ? t.layout(x) : Layout::Plain);
  const bool turn = turning_is_free(to) && t.wants_channels_first(y);
  const ValueId shape = t.ints(t.info(y).name + "/shape", batch_free(from, turn ? turned(to) : to));
  if (folded) t.set_flattened(y, from);
  t.finish(y, t.add(op, OpKind::Reshape, {value, shape}), turn ? Layout::ChannelsFirst : Layout::Plain);
}

void translate_transpose(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  std::vector<std::int64_t> permutation = t.constant_ints(t.input(op, 1));
  std::vector<bool> seen(static_cast<std::size_t>(t.rank(x)), false);
  if (std::ssize(permutation) != t.rank(x)) throw ModelError("the permutation does not fit the rank");
  for (const std::int64_t axis : permutation) {
    if (axis < 0 || axis >= t.rank(x) || seen[static_cast<std::size_t>(axis)]) throw ModelError("not a permutation");
    seen[static_cast<std::size_t>(axis)] = true;
  }
  // The turned layout and the permutation become one Transpose, or none.
  if (t.layout(x) == Layout::ChannelsFirst) {
    for (std::int64_t& axis : permutation) axis = channels_first_axis[axis];
  }
  const Layout layout = t.wants_channels_first(y) ? Layout::ChannelsFirst : Layout::Plain;
  if (layout == Layout::ChannelsFirst) permutation = {permutation[0], permutation[3], permutation[1], permutation[2]};
  const ValueId value = t.numbers(x);
  const OpKind kind = std::ranges::is_sorted(permutation) ? OpKind::Identity : OpKind::Transpose;
  Attributes attributes;
  if (kind == OpKind::Transpose) attributes.emplace_back("perm", permutation);
  t.finish(y, t.add(op, kind, {value}, std::move(attributes)), layout);
}

void translate_concatenation(Translator& t, const Operator& op) {
  const std::int32_t y = t.output(op);
  Layout layout = Layout::Plain;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const std::int32_t x = t.input(op, i);
    if (t.rank(x) != t.rank(y)) throw ModelError("the inputs differ in rank");
    if (t.layout(x) == Layout::ChannelsFirst) layout = Layout::ChannelsFirst;
  }
  std::int64_t axis = normalize_axis(t.option<std::int32_t>(op, field::concatenation::axis), t.rank(y));
  if (layout == Layout::ChannelsFirst) axis = channels_first_axis[axis];
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) values.push_back(t.numbers(t.input(op, i), layout));
  if (values.empty()) throw ModelError("nothing to concatenate");
  const ValueId result = t.add(op, OpKind::Concat, std::move(values), {{"axis", axis}});
  t.finish(y, t.activate(op, result, t.activation(op, field::concatenation::activation)), layout);
}

void translate_pack(Translator& t, const Operator& op) {
  const std::int32_t y = t.output(op);
  const std::int64_t axis = normalize_axis(t.option<std::int32_t>(op, field::pack::axis), t.rank(y));
  const std::string& name = t.info(y).name;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const ValueId value = t.numbers(t.input(op, i), Layout::Plain);
    values.push_back(t.add(op, OpKind::Unsqueeze, {value, t.ints(name + "/axis", {axis})}));
  }
  if (values.empty()) throw ModelError("nothing to pack");
  t.finish(y, t.add(op, OpKind::Concat, std::move(values), {{"axis", axis}}), Layout::Plain);
}

void translate_unpack(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0);
  const std::int64_t axis = normalize_axis(t.option<std::int32_t>(op, field::pack::axis), t.rank(x));
  const std::size_t count = op.outputs.size();
  if (static_cast<std::int64_t>(count) != t.info(x).shape[static_cast<std::size_t>(axis)]) {
    throw ModelError(cat(count, " outputs for ", t.info(x).shape[static_cast<std::size_t>(axis)], " slices"));
  }
  const auto parts = t.add_many(op, OpKind::Split, {t.numbers(x, Layout::Plain)},
                                {{"axis", axis}, {"num_outputs", static_cast<std::int64_t>(count)}}, count);
  const ValueId axes = t.ints(t.info(t.output(op)).name + "/axis", {axis});
  for (std::size_t i = 0; i < count; ++i) {
    t.finish(t.output(op, i), t.add(op, OpKind::Squeeze, {parts[i], axes}), Layout::Plain);
  }
}

void translate_tile(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  std::vector<std::int64_t> repeats = t.constant_ints(t.input(op, 1));
  if (std::ssize(repeats) != t.rank(x)) throw ModelError("the repeats do not fit the rank");
  const Layout layout = t.layout(x);
  if (layout == Layout::ChannelsFirst) repeats = {repeats[0], repeats[3], repeats[1], repeats[2]};
  t.finish(y, t.add(op, OpKind::Tile, {t.numbers(x), t.ints(t.info(y).name + "/repeats", repeats)}), layout);
}

void translate_broadcast_to(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  const ValueId shape = t.ints(t.info(y).name + "/shape", t.constant_ints(t.input(op, 1)));
  t.finish(y, t.add(op, OpKind::Expand, {t.numbers(x, Layout::Plain), shape}), Layout::Plain);
}

void translate_shape(Translator& t, const Operator& op) {
  const std::int32_t y = t.output(op);
  ValueId result = t.add(op, OpKind::Shape, {t.numbers(t.input(op, 0), Layout::Plain)});
  if (t.info(y).dtype != DType::S64) {
    result = t.add(op, OpKind::Cast, {result}, {{"to", static_cast<std::int64_t>(t.info(y).dtype)}});
  }
  t.finish_stored(y, result, Layout::Plain);
}

void translate_gather(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  if (t.option<std::int32_t>(op, field::gather::batch_dims) != 0) {
    throw UnsupportedError("batch_dims other than 0 are not supported");
  }
  const std::int64_t axis = normalize_axis(t.option<std::int32_t>(op, field::gather::axis), t.rank(x));
  t.finish(y, t.add(op, OpKind::Gather, {t.numbers(x, Layout::Plain), t.numbers(t.input(op, 1))}, {{"axis", axis}}),
           Layout::Plain);
}

constexpr OperatorEntry table[] = {
    {2, LayoutNeed::Follows, translate_concatenation}, {22, LayoutNeed::Plain, translate_reshape},
    {36, LayoutNeed::Plain, translate_gather},         {39, LayoutNeed::Plain, translate_transpose},
    {43, LayoutNeed::Plain, translate_reshape},        {69, LayoutNeed::Follows, translate_tile},
    {70, LayoutNeed::Plain, translate_reshape},        {77, LayoutNeed::Plain, translate_shape},
    {83, LayoutNeed::Plain, translate_pack},           {88, LayoutNeed::Plain, translate_unpack},
    {130, LayoutNeed::Plain, translate_broadcast_to},
};

}  // namespace

std::span<const OperatorEntry> movement_operators() {
  return table;
}

}  // namespace adze::tflite
