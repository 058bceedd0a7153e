// Operators that only move elements.
#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/emit/c/layer.h"
#include "adze/emit/c/stream.h"
#include "adze/emit/c/work.h"

namespace adze::emit {

namespace {

std::int64_t element_bytes(const LayerWriter& writer) {
  const int bits = dtype_bits(writer.output_dtype());
  if (bits % 8 != 0 || bits == 0 || writer.output_dtype() == DType::String)
    writer.refuse("elements of less than a byte");
  return bits / 8;
}

std::string six(std::vector<std::int64_t> values, std::int64_t filler) {
  while (values.size() < 6) values.insert(values.begin(), filler);
  std::string text = "{";
  for (std::size_t i = 0; i < values.size(); ++i) text += cat(i == 0 ? "" : ", ", values[i]);
  return text + "}";
}

std::string moved(const std::string& pointer, std::int64_t elements, std::string_view type) {
  return elements == 0 ? pointer : cat("(", type, ")(", pointer, " + ", elements, ")");
}

/// One strided copy of dims elements. from and to: where it starts, in elements.
void write_copy(LayerWriter& writer, std::size_t input, std::size_t output, const Shape& dims,
                const std::vector<std::int64_t>& in_strides, const std::vector<std::int64_t>& out_strides,
                std::int64_t from, std::int64_t to) {
  if (num_elements(dims) == 0) return;
  if (dims.size() > 6) writer.refuse("more than six dimensions");
  const std::int64_t bytes = element_bytes(writer);
  writer.use("adze_copy.c");
  writer.open("");
  writer.line(cat("static const adze_copy part = {", bytes, ", ", six(dims, 1), ", ", six(in_strides, 0), ", ",
                  six(out_strides, 0), "};"));
  const std::string type = writer.output_dtype() == DType::F32 ? "float" : "int8_t";
  const std::int64_t unit = type == "float" ? 1 : bytes;
  writer.line(cat("adze_copy_strided(&part, ", moved(writer.in(input, type), from * unit, "const void *"), ", ",
                  moved(writer.out(output, type), to * unit, "void *"), ");"));
  writer.close();
}

/// Rows of [1, rows, …], gathered from all over the input.
void write_transposed_rows(LayerWriter& writer, const Shape& y, const std::vector<std::int64_t>& strides) {
  const std::int64_t bytes = element_bytes(writer);
  writer.use("adze_copy.c");
  writer.open("static const adze_copy layer =");
  writer.line(cat(bytes, ", ", six(y, 1), ", ", six(strides, 0), ", ", six(row_major_strides(y), 0)));
  writer.close(";");
  const std::string numbers = writer.numbers("adze_copy");
  writer.line(cat("adze_copy_strided(", numbers, ", ", writer.in(0), " + band->row * ", strides[1] * bytes, ", ",
                  writer.out(), ");"));
}

void write_transpose(LayerWriter& writer) {
  const Shape x = writer.shape(0), y = writer.output_shape();
  std::vector<std::int64_t> perm = writer.node().get_ints("perm"), strides;
  if (perm.empty()) {
    for (std::size_t i = x.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  }
  const Shape in = row_major_strides(x);
  for (const std::int64_t axis : perm) strides.push_back(in[static_cast<std::size_t>(axis)]);
  declare_gathered_rows(writer);
  writer.takes(element_work(12.0 * static_cast<double>(num_elements(y))));
  if (writer.by_rows()) {
    write_transposed_rows(writer, y, strides);
  } else {
    write_copy(writer, 0, 0, y, strides, row_major_strides(y), 0, 0);
  }
}

void write_concat(LayerWriter& writer) {
  const Shape y = writer.output_shape();
  const std::size_t axis = stored_axis(writer.node(), writer.node().get_int("axis"), y.size());
  const Shape strides = row_major_strides(y);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < writer.node().inputs.size(); ++i) {
    const Shape x = writer.shape(i);
    write_copy(writer, i, 0, x, row_major_strides(x), strides, 0, at * strides[axis]);
    at += x[axis];
  }
}

void write_split(LayerWriter& writer) {
  const Shape x = writer.shape(0);
  const std::size_t axis = stored_axis(writer.node(), writer.node().get_int("axis"), x.size());
  const Shape strides = row_major_strides(x);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < writer.node().outputs.size(); ++i) {
    const Shape y = writer.output_shape(i);
    write_copy(writer, 0, i, y, strides, row_major_strides(y), at * strides[axis], 0);
    at += y[axis];
  }
}

std::vector<std::int64_t> ints(LayerWriter& writer, std::size_t input, std::string_view what) {
  return to_ints(writer.need_constant(input, what));
}

void write_slice(LayerWriter& writer) {
  const Node& node = writer.node();
  const Shape x = writer.shape(0), y = writer.output_shape();
  const auto starts = ints(writer, 1, "the starts");
  std::vector<std::int64_t> axes, steps(starts.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (node.input(3) != ValueId::None) axes = ints(writer, 3, "the axes");
  if (node.input(4) != ValueId::None) steps = ints(writer, 4, "the steps");
  std::vector<std::int64_t> strides = row_major_strides(x);
  std::int64_t from = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = stored_axis(node, axes[i], x.size());
    const std::int64_t size = x[axis], most = steps[i] < 0 ? size - 1 : size;
    const std::int64_t start = std::clamp<std::int64_t>(starts[i] < 0 ? starts[i] + size : starts[i], 0, most);
    from += start * strides[axis];
    strides[axis] *= steps[i];
  }
  write_copy(writer, 0, 0, y, strides, row_major_strides(y), from, 0);
}

void write_pad(LayerWriter& writer) {
  const Node& node = writer.node();
  if (node.get_string("mode") != "constant") writer.refuse("only padding by a constant can be written as C");
  const Shape x = writer.shape(0), y = writer.output_shape();
  const auto pads = ints(writer, 1, "the pads");
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < x.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (node.input(3) != ValueId::None) axes = ints(writer, 3, "the axes");
  std::int64_t to = 0;
  const Shape strides = row_major_strides(y);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (pads[i] < 0 || pads[i + axes.size()] < 0) writer.refuse("negative pads");
    to += pads[i] * strides[stored_axis(node, axes[i], x.size())];
  }
  const Tensor* value = node.input(2) == ValueId::None ? nullptr : &writer.need_constant(2, "the value");
  const double fill = value == nullptr ? 0.0 : value->get_double(0);
  if (writer.output_dtype() == DType::S8 || fill == 0.0) {
    writer.line(cat("adze_fill(", writer.out(), ", ", static_cast<std::int64_t>(fill), ", ",
                    num_elements(y) * element_bytes(writer), ");"));
  } else {
    writer.refuse("padding of floats by something else than zero");
  }
  write_copy(writer, 0, 0, x, row_major_strides(x), strides, 0, to);
}

/// Which source index nearest resizing takes for each target index.
std::vector<std::int16_t> nearest_indices(LayerWriter& writer, std::int64_t from, std::int64_t to, double scale) {
  const std::string transform = writer.node().get_string("coordinate_transformation_mode");
  const std::string mode = writer.node().get_string("nearest_mode");
  std::vector<std::int16_t> result;
  for (std::int64_t i = 0; i < to; ++i) {
    const double at = static_cast<double>(i);
    double source = 0.0;
    if (transform == "asymmetric") {
      source = at / scale;
    } else if (transform == "half_pixel") {
      source = (at + 0.5) / scale - 0.5;
    } else if (transform == "align_corners") {
      source = to > 1 ? at * static_cast<double>(from - 1) / static_cast<double>(to - 1) : 0.0;
    } else {
      writer.refuse(cat("coordinate transformation ", transform));
    }
    double index = std::floor(source);
    if (mode == "ceil") index = std::ceil(source);
    if (mode == "round_prefer_floor") index = std::ceil(source - 0.5);
    if (mode == "round_prefer_ceil") index = std::floor(source + 0.5);
    result.push_back(static_cast<std::int16_t>(std::clamp<double>(index, 0.0, static_cast<double>(from - 1))));
  }
  return result;
}

void write_resize(LayerWriter& writer) {
  const Node& node = writer.node();
  const Shape x = writer.shape(0), y = writer.output_shape();
  const bool usual = x.size() == 4 && is_channels_last(node) && node.get_string("mode") == "nearest" && x[0] == y[0] &&
                     x[3] == y[3] && node.get_ints("axes").empty();
  if (!usual) writer.refuse("only nearest resizing of height and width can be written as C");
  double scales[2] = {static_cast<double>(y[1]) / static_cast<double>(x[1]),
                      static_cast<double>(y[2]) / static_cast<double>(x[2])};
  if (const Tensor* given = writer.constant(2); given != nullptr && given->size() == 4) {
    for (std::int64_t i = 0; i < 2; ++i) scales[i] = given->get_double(i + 2);
  }
  const std::string rows = writer.table("rows", "int16_t", nearest_indices(writer, x[1], y[1], scales[0]));
  const std::string columns = writer.table("columns", "int16_t", nearest_indices(writer, x[2], y[2], scales[1]));
  writer.use("adze_resize.c");
  writer.line(cat("static const adze_resize layer = {", x[0], ", ", x[1], ", ", x[2], ", ",
                  x[3] * element_bytes(writer), ", ", y[1], ", ", y[2], ", ", rows, ", ", columns, "};"));
  writer.line(cat("adze_resize_nearest(&layer, ", writer.in(0), ", ", writer.out(), ");"));
}

}  // namespace

bool write_movement(LayerWriter& writer) {
  switch (writer.node().kind) {
    case OpKind::Transpose:
      write_transpose(writer);
      return true;
    case OpKind::Concat:
      write_concat(writer);
      return true;
    case OpKind::Split:
      write_split(writer);
      return true;
    case OpKind::Slice:
      write_slice(writer);
      return true;
    case OpKind::Pad:
      write_pad(writer);
      return true;
    case OpKind::Resize:
      write_resize(writer);
      return true;
    default:
      return false;
  }
}

}  // namespace adze::emit
