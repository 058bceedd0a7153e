// Pools and means.
#include <algorithm>

#include "adze/base/text.h"
#include "adze/emit/c/layer.h"
#include "adze/emit/c/overlap.h"
#include "adze/emit/c/stream.h"
#include "adze/emit/c/walk.h"
#include "adze/emit/c/work.h"
#include "adze/graph/window.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

namespace {

Shape picture(const LayerWriter& writer, Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);
  if (shape.size() != 4) writer.refuse("only one and two spatial dimensions can be written as C");
  return shape;
}

std::string window_text(const Window& window) {
  const auto pair = [&](const std::vector<std::int64_t>& values, std::int64_t missing) {
    return values.size() == 2 ? cat(values[0], ", ", values[1]) : cat(missing, ", ", values[0]);
  };
  return cat(pair(window.kernel, 1), ", ", pair(window.strides, 1), ", ", pair(window.dilations, 1), ", ",
             pair(window.pads_begin, 0), ", ", pair(window.pads_end, 0));
}

Window resolved_window(const LayerWriter& writer, const Shape& x) {
  const std::size_t rank = x.size() - 2;
  Window window = window_of(writer.node(), rank);
  resolve_pads(window, Shape(x.begin() + 1, x.end() - 1));
  return window;
}

void write_pool_layer(LayerWriter& writer, std::string_view kernel, const std::string& numbers) {
  const Shape stored = writer.shape(0);
  const Shape x = picture(writer, stored), y = picture(writer, writer.output_shape());
  writer.use("adze_pool_s8.c");
  writer.open("static const adze_pool layer =");
  writer.line(cat(x[0], ", ", x[1], ", ", x[2], ", ", x[3], ", ", y[1], ", ", y[2], ","));
  writer.line(cat(window_text(resolved_window(writer, stored)), ","));
  writer.line(numbers);
  writer.close(";");
  const Window window = resolved_window(writer, stored);
  const bool flat = window.rank() == 1;
  const auto high = [&](const std::vector<std::int64_t>& values, std::int64_t missing) {
    return flat ? missing : values[0];
  };
  const WindowWalk walk{x[1],
                        x[2],
                        x[3],
                        y[1],
                        y[2],
                        y[3],
                        high(window.kernel, 1),
                        window.kernel.back(),
                        high(window.strides, 1),
                        window.strides.back(),
                        high(window.dilations, 1),
                        window.dilations.back(),
                        high(window.pads_begin, 0),
                        window.pads_begin.back()};
  if (x[0] == 1) writer.may_overlap(0, pixel_distance(walk, 1, false));
  declare_window_rows(writer, walk, x[0]);
  writer.takes(window_work(std::string(kernel), walk, walk.kernel_h * walk.kernel_w));
  const std::string layer = writer.numbers("adze_pool");
  writer.line(cat(kernel, "(", layer, ", ", writer.in(0), ", ", writer.out(), ");"));
}

void write_average(LayerWriter& writer) {
  const Node& node = writer.node();
  const Affine x = input_affine(node), y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  const RequantizeParameters by = make_requantize(profile, static_cast<double>(x.scale) / static_cast<double>(y.scale));
  const bool same = x.scale == y.scale && x.zero_point == y.zero_point;
  write_pool_layer(
      writer, "adze_average_pool_s8",
      cat(node.get_int("count_include_pad"), ", ", x.zero_point, ", ", same ? 1 : 0, ", ",
          node.get_int("raw_offset", 0), ", ", channel_text(general_channel(by)), ", ", constant_text(x.scale), ", ",
          constant_text(y.scale), ", ", output_text(general_kind(profile), y)));
}

void write_max(LayerWriter& writer) {
  if (writer.node().outputs.size() > 1 && writer.node().outputs[1] != ValueId::None) {
    writer.refuse("the indices of the largest values");
  }
  write_pool_layer(writer, "adze_max_pool_s8", "0, 0, 0, 0, {0, 0, 0, 0}, 1.0f, 1.0f, {0, 0, -128, 127}");
}

void write_mean(LayerWriter& writer) {
  const Node& node = writer.node();
  const MeanWalk walk = mean_walk(writer);
  const Affine from = input_affine(node), y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  writer.use("adze_mean_s8.c");
  writer.open("static const adze_mean layer =");
  writer.line(cat(walk.outer, ", ", walk.count, ", ", walk.columns, ", ", from.zero_point, ", ",
                  channel_text(mean_channel(profile, from, y, walk.count)), ", ", constant_text(from.scale), ", ",
                  constant_text(y.scale), ", ", output_text(general_kind(profile), y)));
  writer.close(";");
  writer.line(cat("adze_mean_s8(&layer, ", writer.in(0), ", ", writer.out(), ");"));
}

bool is_s8(const LayerWriter& writer) {
  return writer.dtype(0) == DType::S8 && writer.output_dtype() == DType::S8;
}

}  // namespace

bool write_pool(LayerWriter& writer) {
  switch (writer.node().kind) {
    case OpKind::QAveragePool:
      if (!is_s8(writer)) writer.refuse("only s8 activations can be written as C");
      write_average(writer);
      return true;
    case OpKind::QReduceMean:
      if (!is_s8(writer)) writer.refuse("only s8 activations can be written as C");
      write_mean(writer);
      return true;
    case OpKind::MaxPool:
      if (!is_s8(writer)) return false;
      write_max(writer);
      return true;
    default:
      return false;
  }
}

}  // namespace adze::emit
