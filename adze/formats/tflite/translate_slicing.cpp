// Operators that cut out or add a border: slices, splits, pads.
#include <algorithm>
#include <limits>

#include "adze/base/checked.h"
#include "adze/formats/tflite/translator.h"

namespace adze::tflite {

namespace {

template <typename T>
void turn_list(std::vector<T>& list) {
  list = {list[0], list[3], list[1], list[2]};
}

void translate_pad(Translator& t, const Operator& op, const char* mode) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  const std::vector<std::int64_t> given = t.constant_ints(t.input(op, 1));
  const auto rank = static_cast<std::size_t>(t.rank(x));
  if (given.size() != 2 * rank) throw ModelError(cat(given.size(), " paddings for rank ", rank));
  std::vector<std::int64_t> before, after;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    before.push_back(given[2 * axis]);
    after.push_back(given[2 * axis + 1]);
    if (before.back() < 0 || after.back() < 0) throw ModelError("a padding is negative");
  }
  const Layout layout = t.layout(x);
  if (layout == Layout::ChannelsFirst) {
    turn_list(before);
    turn_list(after);
  }
  before.insert(before.end(), after.begin(), after.end());
  std::vector<ValueId> inputs = {t.numbers(x), t.ints(t.info(y).name + "/pads", before)};
  if (t.has_input(op, 2)) {
    const std::int32_t fill = t.input(op, 2);
    if (num_elements(t.info(fill).shape) != 1) throw ModelError("the padding value must be one number");
    ValueId value = t.numbers(fill);
    if (t.rank(fill) != 0) value = t.add(op, OpKind::Reshape, {value, t.ints(t.info(y).name + "/scalar", {})});
    inputs.push_back(value);
  }
  t.finish(y, t.add(op, OpKind::Pad, std::move(inputs), {{"mode", std::string(mode)}}), layout);
}

void translate_mirror_pad(Translator& t, const Operator& op) {
  if (t.option<std::int8_t>(op, field::mirror_pad::mode) != 0) {
    throw UnsupportedError("mode SYMMETRIC is not supported: ONNX mirrors without the edge only");
  }
  translate_pad(t, op, "reflect");
}

void translate_slice(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  std::vector<std::int64_t> begins = t.constant_ints(t.input(op, 1));
  const std::vector<std::int64_t> sizes = t.constant_ints(t.input(op, 2));
  const auto rank = static_cast<std::size_t>(t.rank(x));
  if (begins.size() != rank || sizes.size() != rank) throw ModelError("begin and size do not fit the rank");
  std::vector<std::int64_t> ends, axes;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t whole = t.info(x).shape[axis];
    const std::int64_t end = sizes[axis] == -1 ? whole : checked_add(begins[axis], sizes[axis]);
    if (begins[axis] < 0 || sizes[axis] < -1 || end > whole) {
      throw ModelError(cat("slice [", begins[axis], ", ", end, ") leaves axis ", axis, " of ", whole));
    }
    ends.push_back(end == whole ? std::numeric_limits<std::int64_t>::max() : end);
    axes.push_back(static_cast<std::int64_t>(axis));
  }
  const Layout layout = t.layout(x);
  if (layout == Layout::ChannelsFirst) {
    turn_list(begins);
    turn_list(ends);
  }
  const std::string& name = t.info(y).name;
  t.finish(y,
           t.add(op, OpKind::Slice,
                 {t.numbers(x), t.ints(name + "/starts", begins), t.ints(name + "/ends", ends),
                  t.ints(name + "/axes", axes)}),
           layout);
}

/// Begin, end and step of one axis after the masks; what a shrunk axis keeps is one element.
void translate_strided_slice(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  const std::vector<std::int64_t> begin = t.constant_ints(t.input(op, 1));
  const std::vector<std::int64_t> end = t.constant_ints(t.input(op, 2));
  const std::vector<std::int64_t> step = t.constant_ints(t.input(op, 3));
  const auto mask = [&](int field) { return static_cast<std::uint32_t>(t.option<std::int32_t>(op, field)); };
  if (mask(field::strided_slice::ellipsis_mask) != 0 || mask(field::strided_slice::new_axis_mask) != 0) {
    throw UnsupportedError("ellipsis and new-axis masks are not supported");
  }
  if (begin.size() != end.size() || begin.size() != step.size() || std::ssize(begin) > t.rank(x)) {
    throw ModelError("begin, end and strides do not fit the rank");
  }
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> starts, ends, steps, axes, shrunk;
  const Shape& shape = t.info(x).shape;
  for (std::size_t axis = 0; axis < begin.size(); ++axis) {
    const auto bit = [&](std::uint32_t bits) { return ((bits >> axis) & 1u) != 0; };
    if (step[axis] == 0) throw ModelError(cat("the stride of axis ", axis, " is zero"));
    const bool backwards = step[axis] < 0;
    std::int64_t from = bit(mask(field::strided_slice::begin_mask)) ? (backwards ? far : 0) : begin[axis];
    std::int64_t to = bit(mask(field::strided_slice::end_mask)) ? (backwards ? -far : far) : end[axis];
    std::int64_t by = step[axis];
    if (bit(mask(field::strided_slice::shrink_axis_mask))) {
      from = normalize_axis(begin[axis], shape[axis]);  // an index is checked as an axis is
      to = from + 1;
      by = 1;
      shrunk.push_back(static_cast<std::int64_t>(axis));
    }
    starts.push_back(from);
    ends.push_back(to);
    steps.push_back(by);
    axes.push_back(static_cast<std::int64_t>(axis));
  }
  const Layout layout = shrunk.empty() ? t.layout(x) : Layout::Plain;
  if (layout == Layout::ChannelsFirst) {
    for (std::int64_t& axis : axes) axis = channels_first_axis[axis];
  }
  const std::string& name = t.info(y).name;
  ValueId result = t.add(op, OpKind::Slice,
                         {t.numbers(x, layout), t.ints(name + "/starts", starts), t.ints(name + "/ends", ends),
                          t.ints(name + "/axes", axes), t.ints(name + "/steps", steps)});
  if (!shrunk.empty()) result = t.add(op, OpKind::Squeeze, {result, t.ints(name + "/shrunk", shrunk)});
  t.finish(y, result, layout);
}

void split_along(Translator& t, const Operator& op, std::int32_t x, std::int64_t axis,
                 const std::vector<std::int64_t>* sizes) {
  axis = normalize_axis(axis, t.rank(x));
  const Layout layout = t.layout(x);
  if (layout == Layout::ChannelsFirst) axis = channels_first_axis[axis];
  const std::size_t count = op.outputs.size();
  Attributes attributes = {{"axis", axis}};
  std::vector<ValueId> inputs = {t.numbers(x)};
  if (sizes != nullptr)
    inputs.push_back(t.ints(t.info(t.output(op)).name + "/sizes", *sizes));
  else
    attributes.emplace_back("num_outputs", static_cast<std::int64_t>(count));
  const auto parts = t.add_many(op, OpKind::Split, std::move(inputs), std::move(attributes), count);
  for (std::size_t i = 0; i < count; ++i) t.finish(t.output(op, i), parts[i], layout);
}

std::int64_t single_number(Translator& t, std::int32_t tensor) {
  const std::vector<std::int64_t> numbers = t.constant_ints(tensor);
  if (numbers.size() != 1) throw ModelError("the axis must be one number");
  return numbers[0];
}

void translate_split(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 1);
  const std::int64_t axis = normalize_axis(single_number(t, t.input(op, 0)), t.rank(x));
  const std::int64_t whole = t.info(x).shape[static_cast<std::size_t>(axis)];
  if (op.outputs.empty() || whole % std::ssize(op.outputs) != 0) {
    throw ModelError(cat(whole, " elements do not split into ", op.outputs.size(), " equal parts"));
  }
  split_along(t, op, x, axis, nullptr);
}

void translate_split_v(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0);
  std::vector<std::int64_t> sizes = t.constant_ints(t.input(op, 1));
  const std::int64_t axis = normalize_axis(single_number(t, t.input(op, 2)), t.rank(x));
  std::int64_t rest = t.info(x).shape[static_cast<std::size_t>(axis)];
  if (sizes.size() != op.outputs.size()) throw ModelError("sizes and outputs differ in number");
  for (const std::int64_t size : sizes) rest -= size == -1 ? 0 : size;
  for (std::int64_t& size : sizes) {
    if (size == -1) size = std::exchange(rest, 0);
    if (size < 0) throw ModelError("a part has a negative size");
  }
  if (rest != 0) throw ModelError("the sizes do not add up to the axis");
  split_along(t, op, x, axis, &sizes);
}

constexpr OperatorEntry table[] = {
    {34, LayoutNeed::Follows, [](Translator& t, const Operator& op) { translate_pad(t, op, "constant"); }},
    {45, LayoutNeed::Follows, translate_strided_slice},
    {49, LayoutNeed::Follows, translate_split},
    {60, LayoutNeed::Follows, [](Translator& t, const Operator& op) { translate_pad(t, op, "constant"); }},
    {65, LayoutNeed::Follows, translate_slice},
    {100, LayoutNeed::Follows, translate_mirror_pad},
    {102, LayoutNeed::Follows, translate_split_v},
};

}  // namespace

std::span<const OperatorEntry> slicing_operators() {
  return table;
}

}  // namespace adze::tflite
