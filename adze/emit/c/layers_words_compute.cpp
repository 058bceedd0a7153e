// QConv, QGemm and QMatMul on 16-bit activations.
#include <algorithm>

#include "adze/base/text.h"
#include "adze/emit/c/overlap.h"
#include "adze/emit/c/pack.h"
#include "adze/emit/c/stream.h"
#include "adze/emit/c/words.h"
#include "adze/emit/c/work.h"
#include "adze/graph/window.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

Shape words_picture(const LayerWriter& writer, Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);
  if (shape.size() != 4) writer.refuse("only one and two spatial dimensions can be written as C");
  return shape;
}

namespace {

std::int64_t rounded_up(std::int64_t value, std::int64_t to) {
  return (value + to - 1) / to * to;
}

std::string write_channels(LayerWriter& writer, const WordsTable& table) {
  std::vector<std::int32_t> numbers;
  for (const Channel& channel : table.channels) {
    numbers.insert(numbers.end(), {channel.bias, channel.multiplier, channel.offset, channel.shift});
  }
  while (numbers.size() % 16 != 0) numbers.insert(numbers.end(), {0, 0, 0, 1});  // kernels take up to four at a time
  return writer.table("channels", "int32_t", numbers);
}

struct Form {
  std::string kernel, weights;
  std::int64_t depth, scratch;
};

Form form_of(LayerWriter& writer, const Rows& rows, std::int64_t groups, bool depthwise, bool narrow) {
  const bool small = writer.optimize() == Optimize::Size;
  if (depthwise) return {"adze_depthwise_s16", writer.table("weights", "int8_t", pack_depthwise(rows)), rows.depth, 0};
  if (narrow && !small && groups == 1 && writer.isa() == Isa::Dsp) {
    const std::int64_t depth = rounded_up(rows.depth, 4);
    return {"adze_conv_s16_dsp", writer.table("weights", "uint32_t", pack_pairs(rows, depth)), depth, 4 * depth};
  }
  if (narrow && !small && groups == 1 && writer.isa() == Isa::Mve) {
    const std::int64_t depth = rounded_up(rows.depth, 8);
    return {"adze_conv_s16_mve", writer.table("weights", "int8_t", pack_mve(rows, depth, 8)), depth, 4 * depth};
  }
  return {"adze_conv_s16", writer.table("weights", "int8_t", pack_rows(rows, rows.depth)), rows.depth, 2 * rows.depth};
}

/// The same walk over bytes.
WindowWalk in_bytes(WindowWalk walk) {
  walk.in_c *= 2;
  walk.out_c *= 2;
  return walk;
}

void declare_overlap(LayerWriter& writer, const std::string& kernel, const WindowWalk& walk, std::int64_t batch,
                     std::int64_t groups) {
  if (batch != 1) return;
  const bool pointwise = walk.kernel_h == 1 && walk.kernel_w == 1 && walk.pad_top == 0 && walk.pad_left == 0;
  const std::int64_t together = kernel == "adze_conv_s16_dsp" || kernel == "adze_conv_s16_mve" ? 2 : 1;
  if (kernel == "adze_depthwise_s16" || (together == 1 && (pointwise || groups > 1))) {
    writer.may_overlap(0, pixel_distance(in_bytes(walk), 1, false));
  } else if (!pointwise) {
    writer.may_overlap(0, pixel_distance(in_bytes(walk), together, true));
  } else if (walk.stride_h == 1 && walk.stride_w == 1) {
    writer.may_overlap(0, block_distance(in_bytes(walk), together));
  }
}

void write_window(LayerWriter& writer, const Rows& rows, const WindowWalk& walk, std::int64_t batch,
                  std::int64_t groups) {
  if (!fits_bytes(rows)) writer.refuse("weights less their zero point do not fit signed bytes");
  const bool depthwise = groups == walk.in_c && groups == walk.out_c && groups > 1;
  const WordsTable table = words_table(writer, rows);
  const std::string channels = write_channels(writer, table);
  const Form form = form_of(writer, rows, groups, depthwise, table.narrow);
  writer.use(cat(form.kernel, ".c"));
  writer.use("adze_s16.h");
  writer.open("static const adze_conv layer =");
  writer.line(cat(batch, ", ", walk.in_h, ", ", walk.in_w, ", ", walk.in_c, ", ", walk.out_h, ", ", walk.out_w, ", ",
                  walk.out_c, ","));
  writer.line(cat(walk.kernel_h, ", ", walk.kernel_w, ", ", walk.stride_h, ", ", walk.stride_w, ", ", walk.dilation_h,
                  ", ", walk.dilation_w, ", ", walk.pad_top, ", ", walk.pad_left, ", ", groups, ", ", form.depth,
                  ", 0,"));
  writer.line(cat(form.weights, ", (const adze_channel *)", channels, ", ",
                  output_text(table.kind, output_affine(writer.node()))));
  writer.close(";");
  declare_overlap(writer, form.kernel, walk, batch, groups);
  declare_window_rows(writer, walk, batch);
  writer.takes(window_work(form.kernel, walk, rows.depth));
  const std::string scratch = form.scratch > 0 ? writer.scratch(form.scratch) : "0";
  const std::string numbers = writer.numbers("adze_conv");
  writer.line(cat(form.kernel, "(", numbers, ", ", words_in(writer, 0), ", ", words_out(writer), ", ", scratch, ");"));
}

void write_conv(LayerWriter& writer) {
  const Node& node = writer.node();
  const Tensor& weights = writer.need_constant(1, "weights");
  const Rows rows = conv_rows(weights, static_cast<std::int32_t>(node.get_int("w_zero_point")));
  const Shape x = words_picture(writer, writer.shape(0)), y = words_picture(writer, writer.output_shape());
  const Shape kernel(weights.shape().begin() + 2, weights.shape().end());
  const Window window = window_of(node, kernel.size(), symbolic(kernel));
  write_window(writer, rows, walk_of(x, y, window), x[0], node.get_int("group"));
}

/// A convolution over pixels without neighbours.
void write_gemm(LayerWriter& writer) {
  const Node& node = writer.node();
  const Rows rows = gemm_rows(writer.need_constant(1, "weights"), node.get_int("transB") != 0,
                              static_cast<std::int32_t>(node.get_int("w_zero_point")));
  const std::int64_t count = num_elements(writer.output_shape()) / std::max<std::int64_t>(1, rows.rows);
  write_window(writer, rows, {.in_h = count, .in_c = rows.depth, .out_h = count, .out_c = rows.rows}, 1, 1);
}

void write_matmul(LayerWriter& writer) {
  const Node& node = writer.node();
  Shape a = writer.shape(0), b = writer.shape(1);
  if (a.size() == 1) a.insert(a.begin(), 1);
  if (b.size() == 1) b.push_back(1);
  const Shape a_batch(a.begin(), a.end() - 2), b_batch(b.begin(), b.end() - 2);
  const std::int64_t count = num_elements(broadcast_shapes(a_batch, b_batch));
  const bool whole = (num_elements(a_batch) == count || num_elements(a_batch) == 1) &&
                     (num_elements(b_batch) == count || num_elements(b_batch) == 1);
  if (!whole) writer.refuse("matrices that broadcast over some dimensions only");
  const std::int64_t rows = a[a.size() - 2], depth = a.back(), columns = b.back();
  const RequantizeParameters by = requantize_parameters(node, 1)[0];
  const bool real = by.profile == RoundingProfile::Onnx;
  writer.use("adze_matmul_s16.c");
  writer.use("adze_s16.h");
  writer.open("static const adze_matmul layer =");
  writer.line(cat(count, ", ", rows, ", ", depth, ", ", columns, ", ", num_elements(a_batch) == 1 ? 0 : rows * depth,
                  ", ", num_elements(b_batch) == 1 ? 0 : depth * columns, ", 0, 0,"));
  writer.line(cat(channel_text(real ? general_channel(by) : wide_words_channel(by)), ", ",
                  output_text(real ? general_kind(by.profile) : words_kind_wide, output_affine(node))));
  writer.close(";");
  writer.line(
      cat("adze_matmul_s16(&layer, ", words_in(writer, 0), ", ", words_in(writer, 1), ", ", words_out(writer), ");"));
}

}  // namespace

bool write_words_compute(LayerWriter& writer) {
  switch (writer.node().kind) {
    case OpKind::QConv:
      write_conv(writer);
      return true;
    case OpKind::QGemm:
      write_gemm(writer);
      return true;
    case OpKind::QMatMul:
      write_matmul(writer);
      return true;
    default:
      return false;
  }
}

}  // namespace adze::emit
