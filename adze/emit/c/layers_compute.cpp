// QConv, QGemm, QMatMul.
#include <algorithm>
#include <cstdlib>

#include "adze/base/text.h"
#include "adze/emit/c/layer.h"
#include "adze/emit/c/overlap.h"
#include "adze/emit/c/pack.h"
#include "adze/emit/c/small.h"
#include "adze/emit/c/stream.h"
#include "adze/emit/c/work.h"
#include "adze/graph/window.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

std::vector<std::int32_t> folded_biases(const LayerWriter& writer, const Rows& rows, std::int32_t zero_point) {
  std::vector<std::int32_t> biases(static_cast<std::size_t>(rows.rows), 0);
  if (writer.node().input(2) != ValueId::None) {
    const Tensor& bias = writer.need_constant(2, "the bias");
    for (std::size_t i = 0; i < biases.size(); ++i) {
      biases[i] = static_cast<std::int32_t>(bias.get_int(static_cast<std::int64_t>(i)));
    }
  }
  // Activations are multiplied as they are stored: their zero point goes into the bias, wrapping as all sums do.
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    std::uint32_t sum = 0;
    for (std::int64_t k = 0; k < rows.depth; ++k) sum += static_cast<std::uint32_t>(rows.at(row, k));
    std::int32_t& bias = biases[static_cast<std::size_t>(row)];
    bias = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) - static_cast<std::uint32_t>(zero_point) * sum);
  }
  return biases;
}

std::vector<SumRange> sum_ranges(const Rows& rows, const std::vector<std::int32_t>& biases) {
  std::vector<SumRange> ranges;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    std::int64_t low = biases[static_cast<std::size_t>(row)], high = low;
    for (std::int64_t k = 0; k < rows.depth; ++k) {
      const std::int64_t w = rows.at(row, k);
      low += std::min(-128 * w, 127 * w);
      high += std::max(-128 * w, 127 * w);
    }
    ranges.push_back({low, high});
  }
  return ranges;
}

namespace {

std::int64_t rounded_up(std::int64_t value, std::int64_t to) {
  return (value + to - 1) / to * to;
}

/// Writes weights' channels and returns the table's name and kind.
std::pair<std::string, int> write_channels(LayerWriter& writer, const Rows& rows) {
  const Node& node = writer.node();
  const auto biases = folded_biases(writer, rows, input_affine(node).zero_point);
  const ChannelTable table =
      channel_table(requantize_parameters(node, rows.rows), biases, sum_ranges(rows, biases), output_affine(node));
  std::vector<std::int32_t> numbers;
  for (const Channel& channel : table.channels) {
    numbers.insert(numbers.end(), {channel.bias, channel.multiplier, channel.offset, channel.shift});
  }
  if (rows.rows % 2 != 0) numbers.insert(numbers.end(), {0, 0, 0, 1});
  return {writer.table("channels", "int32_t", numbers), table.kind};
}

void require_bytes(const LayerWriter& writer, const Rows& rows) {
  if (!fits_bytes(rows)) writer.refuse("weights less their zero point do not fit signed bytes");
  if (writer.dtype(0) != DType::S8 || writer.output_dtype() != DType::S8) {
    writer.refuse("only s8 activations can be written as C");
  }
}

/// Spatial sizes [batch, height, width, channels] of an operand of rank 3 or 4.
Shape picture(const LayerWriter& writer, Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);
  if (shape.size() != 4) writer.refuse("only one and two spatial dimensions can be written as C");
  return shape;
}

struct ConvForm {
  std::string kernel, weights;
  std::int64_t depth, scratch;
};

std::int64_t depthwise_row_bytes(const Shape& y, const Window& window, bool groups_of_four) {
  const std::size_t w = window.rank() - 1;
  const std::int64_t columns = groups_of_four ? rounded_up(y[2], 4) : y[2];
  return ((columns - 1) * window.strides[w] + window.dilations[w] * (window.kernel[w] - 1) + 1) * y[3];
}

/// What adze_depthwise_3x3_s8_dsp can do.
bool is_plain_3x3(const Window& window, int kind, const Affine& y) {
  return window.rank() == 2 && window.kernel == std::vector<std::int64_t>{3, 3} && window.dilations[0] == 1 &&
         window.dilations[1] == 1 && window.strides[0] <= 3 && window.strides[1] <= 2 && kind == 0 && y.min == -128 &&
         y.max == 127;
}

/// What adze_depthwise_3x3_s8_mve can do; distances of channels are stored in 16 bits.
bool is_mve_3x3(const Shape& y, const Window& window, int kind) {
  constexpr std::int64_t most_columns = 2000;
  return window.rank() == 2 && window.kernel == std::vector<std::int64_t>{3, 3} && window.dilations[0] == 1 &&
         window.dilations[1] == 1 && window.strides[0] <= 2 && window.strides[1] <= window.strides[0] && kind == 0 &&
         y[2] * window.strides[1] < most_columns;
}

ConvForm depthwise_form(LayerWriter& writer, const Rows& rows, const Shape& y, const Window& window, int kind) {
  if (writer.isa() == Isa::Dsp && is_plain_3x3(window, kind, output_affine(writer.node()))) {
    const std::int64_t words = (y[2] + 3) / 4 * 2 * window.strides[1] + 2;
    return {"adze_depthwise_3x3_s8_dsp", writer.table("weights", "int8_t", pack_rows(rows, 9)), 9,
            4 * (48 + 12 * words)};
  }
  if (writer.isa() == Isa::Mve && is_mve_3x3(y, window, kind)) {
    const std::int64_t columns = (y[2] - 1) * window.strides[1] + 3;
    return {"adze_depthwise_3x3_s8_mve", writer.table("weights", "int8_t", pack_depthwise_3x3_mve(rows)), 9,
            4 * columns * y[3] + 32};
  }
  if (writer.isa() == Isa::Plain || window.kernel[0] > 16) {
    return {"adze_depthwise_s8", writer.table("weights", "int8_t", pack_depthwise(rows)), rows.depth, 0};
  }
  const std::int64_t extent = window.rank() == 2 ? window.dilations[0] * (window.kernel[0] - 1) + 1 : 1;
  const std::int64_t scratch = extent * rounded_up(depthwise_row_bytes(y, window, true), 4) + 4;
  if (writer.isa() == Isa::Mve) {
    return {"adze_depthwise_s8_mve", writer.table("weights", "int8_t", pack_depthwise_mve(rows)), rows.depth, scratch};
  }
  return {"adze_depthwise_s8_dsp", writer.table("weights", "uint32_t", pack_depthwise_dsp(rows)), rows.depth, scratch};
}

ConvForm conv_form(LayerWriter& writer, const Rows& rows, std::int64_t groups) {
  if (writer.isa() == Isa::Dsp && groups == 1) {
    const std::int64_t depth = rounded_up(rows.depth, 8);
    return {"adze_conv_s8_dsp", writer.table("weights", "uint32_t", pack_dsp(rows, depth)), depth, 9 * depth + 8};
  }
  const bool vectors = writer.isa() == Isa::Mve && groups == 1;
  const std::int64_t depth = vectors ? rounded_up(rows.depth, 16) : rows.depth;
  const auto packed = vectors ? pack_mve(rows, depth) : pack_rows(rows, depth);
  return {vectors ? "adze_conv_s8_mve" : "adze_conv_s8", writer.table("weights", "int8_t", packed), depth,
          4 * depth + 16};
}

void write_conv(LayerWriter& writer) {
  const Node& node = writer.node();
  const Tensor& weights = writer.need_constant(1, "weights");
  const Rows rows = conv_rows(weights, static_cast<std::int32_t>(node.get_int("w_zero_point")));
  require_bytes(writer, rows);
  const Shape x = picture(writer, writer.shape(0)), y = picture(writer, writer.output_shape());
  Shape kernel(weights.shape().begin() + 2, weights.shape().end());
  const Window window = window_of(node, kernel.size(), symbolic(kernel));
  const std::int64_t groups = node.get_int("group");
  const bool depthwise = groups == x[3] && groups == y[3] && groups > 1;
  const WindowWalk walk = walk_of(x, y, window);
  if (writer.optimize() == Optimize::Size && write_small(writer, rows, walk, x[0], groups)) return;
  const auto [channels, kind] = write_channels(writer, rows);
  const ConvForm form = depthwise ? depthwise_form(writer, rows, y, window, kind) : conv_form(writer, rows, groups);
  const auto pair = [&](const std::vector<std::int64_t>& values, std::int64_t missing) {
    return values.size() == 2 ? cat(values[0], ", ", values[1]) : cat(missing, ", ", values[0]);
  };
  writer.use(cat(form.kernel, ".c"));
  writer.open("static const adze_conv layer =");
  writer.line(cat(x[0], ", ", x[1], ", ", x[2], ", ", x[3], ", ", y[1], ", ", y[2], ", ", y[3], ", "));
  writer.line(cat(pair(window.kernel, 1), ", ", pair(window.strides, 1), ", ", pair(window.dilations, 1), ", ",
                  pair(window.pads_begin, 0), ", ", groups, ", ", form.depth, ", ", input_affine(node).zero_point,
                  ","));
  writer.line(cat(form.weights, ", (const adze_channel *)", channels, ", ", output_text(kind, output_affine(node))));
  writer.close(";");
  declare_conv_overlap(writer, form.kernel, walk, groups);
  declare_window_rows(writer, walk, x[0]);
  writer.takes(window_work(form.kernel, walk, rows.depth));
  const std::string scratch = form.scratch > 0 ? writer.scratch(form.scratch) : "0";
  const std::string numbers = writer.numbers("adze_conv");
  writer.line(cat(form.kernel, "(", numbers, ", ", writer.in(0), ", ", writer.out(), ", ", scratch, ");"));
}

void write_gemm(LayerWriter& writer) {
  const Node& node = writer.node();
  const Rows rows = gemm_rows(writer.need_constant(1, "weights"), node.get_int("transB") != 0,
                              static_cast<std::int32_t>(node.get_int("w_zero_point")));
  require_bytes(writer, rows);
  const std::int64_t count = num_elements(writer.output_shape()) / std::max<std::int64_t>(1, rows.rows);
  const WindowWalk walk{.in_h = count, .in_c = rows.depth, .out_h = count, .out_c = rows.rows};
  if (writer.optimize() == Optimize::Size && write_small(writer, rows, walk, 1, 1)) return;
  const auto [channels, kind] = write_channels(writer, rows);
  const bool dsp = writer.isa() == Isa::Dsp;
  const std::int64_t depth = dsp                        ? rounded_up(rows.depth, 8)
                             : writer.isa() == Isa::Mve ? rounded_up(rows.depth, 16)
                                                        : rows.depth;
  const std::string weights =
      dsp ? writer.table("weights", "uint32_t", pack_dsp(rows, depth))
          : writer.table("weights", "int8_t",
                         writer.isa() == Isa::Mve ? pack_mve(rows, depth) : pack_rows(rows, depth));
  const std::string kernel = dsp ? "adze_gemm_s8_dsp" : writer.isa() == Isa::Mve ? "adze_gemm_s8_mve" : "adze_gemm_s8";
  writer.use(cat(kernel, ".c"));
  writer.open("static const adze_gemm layer =");
  writer.line(cat(count, ", ", rows.rows, ", ", rows.depth, ", ", depth, ", ", weights, ","));
  writer.line(cat("(const adze_channel *)", channels, ", ", output_text(kind, output_affine(node))));
  writer.close(";");
  writer.takes(element_work(static_cast<double>(count * rows.rows * rows.depth)));
  if (dsp && count == 1) {
    // The row is widened into the scratch memory first, from where it lies at the end of that.
    writer.scratch_may_overlap(0, depth);
    writer.may_overlap(0, -rows.depth);
  }
  writer.line(cat(kernel, "(&layer, ", writer.in(0), ", ", writer.out(),
                  dsp ? cat(", ", writer.scratch(2 * depth)) : std::string(), ");"));
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
  writer.use("adze_matmul_s8.c");
  writer.open("static const adze_matmul layer =");
  writer.line(cat(count, ", ", rows, ", ", depth, ", ", columns, ", ", num_elements(a_batch) == 1 ? 0 : rows * depth,
                  ", ", num_elements(b_batch) == 1 ? 0 : depth * columns, ","));
  writer.line(cat(left_affine(node).zero_point, ", ", right_affine(node).zero_point, ", ",
                  channel_text(general_channel(by)), ", ", output_text(general_kind(by.profile), output_affine(node))));
  writer.close(";");
  writer.line(cat("adze_matmul_s8(&layer, ", writer.in(0), ", ", writer.in(1), ", ", writer.out(), ");"));
}

}  // namespace

bool write_compute(LayerWriter& writer) {
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
