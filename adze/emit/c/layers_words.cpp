// Operators on 16-bit activations.
#include "adze/emit/c/words.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/emit/c/overlap.h"
#include "adze/emit/c/stream.h"
#include "adze/emit/c/walk.h"
#include "adze/emit/c/work.h"
#include "adze/graph/window.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

bool is_words(const LayerWriter& writer) {
  const bool reads = !writer.node().inputs.empty() && writer.node().inputs[0] != ValueId::None;
  return writer.output_dtype() == DType::S16 || (reads && writer.dtype(0) == DType::S16);
}

namespace {

std::string as_words(const LayerWriter& writer, std::string pointer, std::string_view type) {
  return writer.by_rows() ? cat("(", type, " *)", type.starts_with("const") ? "(const void *)" : "(void *)", pointer)
                          : pointer;
}

}  // namespace

std::string words_in(LayerWriter& writer, std::size_t input) {
  const Tensor* constant = writer.constant(input);
  if (constant == nullptr) return as_words(writer, writer.in(input, "int16_t"), "const int16_t");
  if (constant->dtype() != DType::S16) writer.refuse("a constant operand of another type");
  const auto data = constant->data<std::int16_t>();
  return writer.table(cat("operand", input), "int16_t", std::vector<std::int16_t>(data.begin(), data.end()));
}

std::string words_out(LayerWriter& writer) {
  return as_words(writer, writer.out(0, "int16_t"), "int16_t");
}

namespace {

void write_binary(LayerWriter& writer) {
  const Node& node = writer.node();
  const Affine a = left_affine(node), b = right_affine(node), y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  const Walk walk = walk_of(writer);
  const auto [by_a, by_b, by_y] = binary_requantize(node, 15);
  writer.use("adze_binary_s16.c");
  writer.open("static const adze_binary layer =");
  writer.line(cat(walk.text(), ", ", node.kind == OpKind::QSub ? 1 : 0, ", 0, 0,"));
  writer.line(cat(channel_text(general_channel(by_a)), ", ", channel_text(general_channel(by_b)), ", ",
                  channel_text(general_channel(by_y)), ","));
  writer.line(cat(constant_text(a.scale), ", ", constant_text(b.scale), ", ", constant_text(y.scale), ", ",
                  output_text(general_kind(profile), y)));
  writer.close(";");
  writer.takes(element_work(20.0 * static_cast<double>(num_elements(writer.output_shape()))));
  for (const std::size_t input : {std::size_t{0}, std::size_t{1}}) {
    if (writer.shape(input) == writer.output_shape()) writer.may_overlap(input, 0);
  }
  const bool equal = writer.shape(0) == writer.shape(1) && writer.shape(0) == writer.output_shape();
  if (equal && writer.constant(0) == nullptr && writer.constant(1) == nullptr) declare_elementwise_rows(writer, {0, 1});
  const std::string numbers = writer.numbers("adze_binary", row_elements(writer));
  const std::string left = words_in(writer, 0), right = words_in(writer, 1);
  writer.line(cat(node.kind == OpKind::QMul ? "adze_mul_s16" : "adze_add_s16", "(", numbers, ", ", left, ", ", right,
                  ", ", words_out(writer), ");"));
}

void write_window(LayerWriter& writer, const std::string& kernel, const std::string& tail) {
  const Shape stored = writer.shape(0);
  const Shape x = words_picture(writer, stored), y = words_picture(writer, writer.output_shape());
  Window window = window_of(writer.node(), stored.size() - 2);
  resolve_pads(window, Shape(stored.begin() + 1, stored.end() - 1));
  const WindowWalk walk = walk_of(x, y, window);
  const std::int64_t pad_bottom = window.rank() == 2 ? window.pads_end[0] : 0;
  writer.use("adze_pool_s16.c");
  writer.open("static const adze_pool layer =");
  writer.line(cat(x[0], ", ", x[1], ", ", x[2], ", ", x[3], ", ", y[1], ", ", y[2], ","));
  writer.line(cat(walk.kernel_h, ", ", walk.kernel_w, ", ", walk.stride_h, ", ", walk.stride_w, ", ", walk.dilation_h,
                  ", ", walk.dilation_w, ", ", walk.pad_top, ", ", walk.pad_left, ", ", pad_bottom, ", ",
                  window.pads_end.back(), ","));
  writer.line(tail);
  writer.close(";");
  WindowWalk bytes = walk;
  bytes.in_c *= 2;
  bytes.out_c *= 2;
  if (x[0] == 1) writer.may_overlap(0, pixel_distance(bytes, 1, false));
  declare_window_rows(writer, walk, x[0]);
  writer.takes(window_work(kernel, walk, walk.kernel_h * walk.kernel_w));
  const std::string numbers = writer.numbers("adze_pool");
  writer.line(cat(kernel, "(", numbers, ", ", words_in(writer, 0), ", ", words_out(writer), ");"));
}

void write_average(LayerWriter& writer) {
  const Node& node = writer.node();
  const Affine x = input_affine(node), y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  const RequantizeParameters by = make_requantize(profile, static_cast<double>(x.scale) / static_cast<double>(y.scale));
  write_window(writer, "adze_average_pool_s16",
               cat(node.get_int("count_include_pad"), ", 0, ", x.scale == y.scale ? 1 : 0, ", 0, ",
                   channel_text(general_channel(by)), ", ", constant_text(x.scale), ", ", constant_text(y.scale), ", ",
                   output_text(general_kind(profile), y)));
}

void write_max(LayerWriter& writer) {
  if (writer.node().outputs.size() > 1 && writer.node().outputs[1] != ValueId::None) {
    writer.refuse("the indices of the largest values");
  }
  write_window(writer, "adze_max_pool_s16", "0, 0, 0, 0, {0, 0, 0, 0}, 1.0f, 1.0f, {0, 0, -32768, 32767}");
}

void write_mean(LayerWriter& writer) {
  const Node& node = writer.node();
  const MeanWalk walk = mean_walk(writer);
  const Affine from = input_affine(node), y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  writer.use("adze_mean_s16.c");
  writer.open("static const adze_mean layer =");
  writer.line(cat(walk.outer, ", ", walk.count, ", ", walk.columns, ", 0, ",
                  channel_text(mean_channel(profile, from, y, walk.count)), ", ", constant_text(from.scale), ", ",
                  constant_text(y.scale), ", ", output_text(general_kind(profile), y)));
  writer.close(";");
  writer.line(cat("adze_mean_s16(&layer, ", words_in(writer, 0), ", ", words_out(writer), ");"));
}

void write_softmax(LayerWriter& writer) {
  const Node& node = writer.node();
  const Shape x = writer.shape(0);
  const std::size_t axis = stored_axis(node, node.get_int("axis"), x.size());
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= x[i];
  for (std::size_t i = axis + 1; i < x.size(); ++i) inner *= x[i];
  const QuantizedSoftmaxS16 softmax = quantized_softmax_s16(node);
  const auto table = [&](const char* name, const InterpolatedTable& entries) {
    return writer.table(name, "int16_t", std::vector<std::int16_t>(entries.begin(), entries.end()));
  };
  const std::string exponentials = table("exponentials", softmax.exponentials());
  const std::string reciprocals = table("reciprocals", softmax.reciprocals());
  writer.use("adze_softmax_s16.c");
  writer.open("static const adze_softmax_words layer =");
  writer.line(cat(outer, ", ", x[axis], ", ", inner, ", ", exponentials, ", ", reciprocals, ","));
  writer.line(cat(channel_text(general_channel(softmax.difference())), ", ",
                  softmax.rescales() ? channel_text(general_channel(softmax.output())) : "{0, 0, 0, 0}", ", ",
                  output_text(general_kind(softmax.difference().profile), output_affine(node))));
  writer.close(";");
  writer.line(cat("adze_softmax_s16(&layer, ", words_in(writer, 0), ", ", words_out(writer), ");"));
}

void write_table(LayerWriter& writer) {
  const auto entries = writer.need_constant(1, "the table").data<std::int16_t>();
  const std::string table = writer.table("table", "int16_t", std::vector<std::int16_t>(entries.begin(), entries.end()));
  writer.use("adze_rescale_s16.c");
  writer.may_overlap(0, 0);
  declare_elementwise_rows(writer, {0});
  writer.line(cat("adze_table_s16(", table, ", ", writer.elements(num_elements(writer.output_shape())), ", ",
                  words_in(writer, 0), ", ", words_out(writer), ");"));
}

void write_rescale(LayerWriter& writer) {
  const Node& node = writer.node();
  const RequantizeParameters by = requantize_parameters(node, 1)[0];
  const bool from_words = writer.dtype(0) == DType::S16, to_words = writer.output_dtype() == DType::S16;
  if ((!from_words && writer.dtype(0) != DType::S8) || (!to_words && writer.output_dtype() != DType::S8)) {
    writer.refuse("only s8 and s16 can be written as C");
  }
  writer.use("adze_rescale_s16.c");
  writer.line(cat("static const adze_rescale layer = {", num_elements(writer.output_shape()), ", ",
                  input_affine(node).zero_point, ", ", channel_text(general_channel(by)), ", ",
                  output_text(general_kind(by.profile), output_affine(node)), "};"));
  if (from_words && to_words) writer.may_overlap(0, 0);
  declare_elementwise_rows(writer, {0});
  const std::string numbers = writer.numbers("adze_rescale", row_elements(writer));
  const std::string kernel = !from_words ? "adze_rescale_s8_s16"
                             : to_words  ? "adze_rescale_s16"
                                         : "adze_rescale_s16_s8";
  const std::string in = from_words ? words_in(writer, 0) : writer.in(0);
  writer.line(cat(kernel, "(", numbers, ", ", in, ", ", to_words ? words_out(writer) : writer.out(), ");"));
}

void write_conversion(LayerWriter& writer) {
  const bool to_words = writer.node().kind == OpKind::QuantizeLinear;
  const Tensor& scale = writer.need_constant(1, "the scale");
  const Tensor* zero_point = writer.constant(2);
  const bool plain = scale.size() == 1 && scale.dtype() == DType::F32 &&
                     (zero_point == nullptr || (zero_point->size() == 1 && zero_point->get_int(0) == 0));
  if (!plain) writer.refuse("16 bits with a zero point, or scales by channel");
  if ((to_words ? writer.dtype(0) : writer.output_dtype()) != DType::F32) writer.refuse("only from and to f32");
  writer.use("adze_rescale_s16.c");
  const std::string count =
      cat(num_elements(writer.output_shape()), ", ", constant_text(static_cast<float>(scale.get_double(0))));
  writer.line(to_words
                  ? cat("adze_quantize_s16(", count, ", ", writer.in(0, "float"), ", ", words_out(writer), ");")
                  : cat("adze_dequantize_s16(", count, ", ", words_in(writer, 0), ", ", writer.out(0, "float"), ");"));
}

using Write = void (*)(LayerWriter&);

Write writer_of(OpKind kind) {
  switch (kind) {
    case OpKind::QAdd:
    case OpKind::QSub:
    case OpKind::QMul:
      return write_binary;
    case OpKind::QAveragePool:
      return write_average;
    case OpKind::MaxPool:
      return write_max;
    case OpKind::QReduceMean:
      return write_mean;
    case OpKind::QSoftmax:
      return write_softmax;
    case OpKind::QTable:
      return write_table;
    case OpKind::QRequantize:
      return write_rescale;
    case OpKind::QuantizeLinear:
    case OpKind::DequantizeLinear:
      return write_conversion;
    default:
      return nullptr;
  }
}

}  // namespace

bool write_words(LayerWriter& writer) {
  if (!is_words(writer)) return false;
  if (write_words_compute(writer)) return true;
  const Write write = writer_of(writer.node().kind);
  if (write == nullptr) return false;
  writer.use("adze_s16.h");
  write(writer);
  return true;
}

}  // namespace adze::emit
