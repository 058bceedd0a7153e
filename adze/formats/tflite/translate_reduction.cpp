// Reductions, softmax and what normalizes along an axis.
#include <algorithm>

#include "adze/formats/tflite/translator.h"

namespace adze::tflite {

namespace {

std::vector<std::int64_t> reduced_axes(Translator& t, const Operator& op) {
  std::vector<std::int64_t> axes;
  for (const std::int64_t axis : t.constant_ints(t.input(op, 1))) {
    const std::int64_t normal = normalize_axis(axis, t.rank(t.input(op, 0)));
    if (std::ranges::find(axes, normal) == axes.end()) axes.push_back(normal);
  }
  std::ranges::sort(axes);
  return axes;
}

/// Do the axes that stay have the same order in NCHW as in NHWC?
bool keeps_order(const std::vector<std::int64_t>& reduced) {
  std::int64_t last = -1;
  for (std::int64_t axis = 0; axis < 4; ++axis) {
    if (std::ranges::find(reduced, axis) != reduced.end()) continue;
    if (channels_first_axis[axis] < last) return false;
    last = channels_first_axis[axis];
  }
  return true;
}

void translate_reduce(Translator& t, const Operator& op, OpKind kind) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  std::vector<std::int64_t> axes = reduced_axes(t, op);
  const bool keep = t.option<bool>(op, field::reducer::keep_dims);
  if (axes.empty() && t.rank(x) > 0) {
    t.finish(y, t.add(op, OpKind::Identity, {t.numbers(x)}), t.layout(x));
    return;
  }
  const bool turned = t.layout(x) == Layout::ChannelsFirst && (keep || keeps_order(axes));
  const ValueId value = t.numbers(x, turned ? Layout::ChannelsFirst : Layout::Plain);
  if (turned) {
    for (std::int64_t& axis : axes) axis = channels_first_axis[axis];
    std::ranges::sort(axes);
  }
  const ValueId result =
      t.add(op, kind, {value, t.ints(t.info(y).name + "/axes", axes)}, {{"keepdims", std::int64_t{keep}}});
  t.finish(y, result, turned && keep ? Layout::ChannelsFirst : Layout::Plain);
}

/// Softmax and its like: along the last axis of the file, the channels.
void translate_normalize(Translator& t, const Operator& op, OpKind kind, Attributes attributes) {
  const std::int32_t x = t.input(op, 0);
  if (t.rank(x) == 0) throw ModelError("a scalar has no axis to normalize along");
  const Layout layout = t.layout(x);
  attributes.emplace_back("axis", layout == Layout::ChannelsFirst ? std::int64_t{1} : t.rank(x) - 1);
  ValueId value = t.numbers(x);
  if (kind == OpKind::Softmax) {
    if (const float beta = t.option<float>(op, field::softmax::beta); beta != 1.0f) {
      value = t.add(op, OpKind::Mul, {value, t.floats(t.info(t.output(op)).name + "/beta", beta)});
    }
  }
  t.finish(t.output(op), t.add(op, kind, {value}, std::move(attributes)), layout);
}

void translate_arg_extreme(Translator& t, const Operator& op, OpKind kind) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  const std::vector<std::int64_t> given = t.constant_ints(t.input(op, 1));
  if (given.size() != 1) throw ModelError("the axis must be one number");
  std::int64_t axis = normalize_axis(given[0], t.rank(x));
  const bool turned = t.layout(x) == Layout::ChannelsFirst && keeps_order({axis});
  if (turned) axis = channels_first_axis[axis];
  const ValueId value = t.numbers(x, turned ? Layout::ChannelsFirst : Layout::Plain);
  ValueId result = t.add(op, kind, {value}, {{"axis", axis}, {"keepdims", std::int64_t{0}}});
  if (t.info(y).dtype != DType::S64) {
    result = t.add(op, OpKind::Cast, {result}, {{"to", static_cast<std::int64_t>(t.info(y).dtype)}});
  }
  t.finish_stored(y, result, Layout::Plain);
}

template <OpKind kind>
void reduce(Translator& t, const Operator& op) {
  translate_reduce(t, op, kind);
}
template <OpKind kind>
void arg_extreme(Translator& t, const Operator& op) {
  translate_arg_extreme(t, op, kind);
}

constexpr OperatorEntry table[] = {
    {11, LayoutNeed::Follows,
     [](Translator& t, const Operator& op) {
       translate_normalize(t, op, OpKind::LpNormalization, {{"p", std::int64_t{2}}});
     }},
    {25, LayoutNeed::Follows,
     [](Translator& t, const Operator& op) { translate_normalize(t, op, OpKind::Softmax, {}); }},
    {40, LayoutNeed::Follows, reduce<OpKind::ReduceMean>},
    {50, LayoutNeed::Follows,
     [](Translator& t, const Operator& op) { translate_normalize(t, op, OpKind::LogSoftmax, {}); }},
    {56, LayoutNeed::Plain, arg_extreme<OpKind::ArgMax>},
    {74, LayoutNeed::Follows, reduce<OpKind::ReduceSum>},
    {79, LayoutNeed::Plain, arg_extreme<OpKind::ArgMin>},
    {81, LayoutNeed::Follows, reduce<OpKind::ReduceProd>},
    {82, LayoutNeed::Follows, reduce<OpKind::ReduceMax>},
    {89, LayoutNeed::Follows, reduce<OpKind::ReduceMin>},
};

}  // namespace

std::span<const OperatorEntry> reduction_operators() {
  return table;
}

}  // namespace adze::tflite
