// Operators on float32.
#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "adze/emit/c/walk.h"
#include "adze/graph/window.h"

namespace adze::emit {

namespace {

Shape picture(const LayerWriter& writer, Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);
  if (shape.size() != 4) writer.refuse("only one and two spatial dimensions can be written as C");
  return shape;
}

std::string pair_text(const std::vector<std::int64_t>& values, std::int64_t missing) {
  return values.size() == 2 ? cat(values[0], ", ", values[1]) : cat(missing, ", ", values[0]);
}

std::vector<float> reordered(const Tensor& weights) {  // [O, I, spatial…] → [O][spatial…][I]
  std::vector<std::int64_t> perm = to_channels_last(weights.shape().size());
  const Tensor turned = transposed(weights, perm);
  const auto data = turned.data<float>();
  return {data.begin(), data.end()};
}

void write_window(LayerWriter& writer, std::string_view file, std::string_view kernel, const Window& window,
                  const std::string& tail) {
  const Shape x = picture(writer, writer.shape(0)), y = picture(writer, writer.output_shape());
  writer.use(file);
  writer.use("adze_float.h");
  writer.open("static const adze_window_f32 layer =");
  writer.line(cat(x[0], ", ", x[1], ", ", x[2], ", ", x[3], ", ", y[1], ", ", y[2], ", ", y[3], ","));
  writer.line(cat(pair_text(window.kernel, 1), ", ", pair_text(window.strides, 1), ", ", pair_text(window.dilations, 1),
                  ", ", pair_text(window.pads_begin, 0), ","));
  writer.line(tail);
  writer.close(";");
  writer.line(cat(kernel, "(&layer, ", writer.in(0, "float"), ", ", writer.out(0, "float"), ");"));
}

Window resolved(const LayerWriter& writer, const SymbolicShape& kernel) {
  const Shape x = writer.shape(0);
  Window window = window_of(writer.node(), x.size() - 2, kernel);
  resolve_pads(window, Shape(x.begin() + 1, x.end() - 1));
  return window;
}

std::vector<float> floats(const Tensor& tensor) {
  const auto data = tensor.data<float>();
  return {data.begin(), data.end()};
}

void write_conv(LayerWriter& writer) {
  const Tensor& weights = writer.need_constant(1, "weights");
  const Window window = resolved(writer, symbolic(Shape(weights.shape().begin() + 2, weights.shape().end())));
  const std::string table = writer.table("weights", "float", reordered(weights));
  const std::string bias = writer.node().input(2) == ValueId::None
                               ? "0"
                               : writer.table("biases", "float", floats(writer.need_constant(2, "the bias")));
  write_window(writer, "adze_conv_f32.c", "adze_conv_f32", window,
               cat(writer.node().get_int("group"), ", 0, ", table, ", ", bias));
}

void write_pool(LayerWriter& writer, bool average) {
  const Window window = resolved(writer, {});
  const bool padding = average && writer.node().get_int("count_include_pad") != 0;
  if (padding && window.ceil_mode) writer.refuse("counting padding with ceil_mode");
  write_window(writer, "adze_pool_f32.c", average ? "adze_average_pool_f32" : "adze_max_pool_f32", window,
               cat("1, ", padding ? 1 : 0, ", 0, 0"));
}

void write_gemm(LayerWriter& writer) {
  const Node& node = writer.node();
  const bool plain = node.kind == OpKind::MatMul || (node.get_float("alpha") == 1.0f && node.get_int("transA") == 0);
  const Tensor& weights = writer.need_constant(1, "weights");
  if (!plain || weights.rank() != 2) writer.refuse("only products by a constant matrix");
  const bool is_transposed = node.kind == OpKind::Gemm && node.get_int("transB") != 0;
  const Tensor rows = is_transposed ? weights : transposed(weights, {1, 0});
  std::string bias = "0";
  if (node.input(2) != ValueId::None) {
    const Tensor& given = writer.need_constant(2, "the bias");
    if (given.size() != rows.dim(0) || node.get_float("beta") != 1.0f) writer.refuse("a bias that is not one a column");
    bias = writer.table("biases", "float", floats(given));
  }
  const std::string table = writer.table("weights", "float", floats(rows));
  writer.use("adze_conv_f32.c");
  writer.use("adze_float.h");
  writer.line(cat("adze_gemm_f32(", num_elements(writer.output_shape()) / rows.dim(0), ", ", rows.dim(0), ", ",
                  rows.dim(1), ", ", table, ", ", bias, ", ", writer.in(0, "float"), ", ", writer.out(0, "float"),
                  ");"));
}

/// name(first numbers…, in, out)
void write_call(LayerWriter& writer, const std::string& call) {
  writer.use("adze_elementwise_f32.c");
  writer.use("adze_float.h");
  writer.line(cat(call, ", ", writer.in(0, "float"), ", ", writer.out(0, "float"), ");"));
}

void write_clamp(LayerWriter& writer) {
  float low = 0.0f, high = std::numeric_limits<float>::max();
  if (writer.node().kind == OpKind::Clip) {
    low = -high;
    if (writer.node().input(1) != ValueId::None) low = to_floats(writer.need_constant(1, "the least"))[0];
    if (writer.node().input(2) != ValueId::None) high = to_floats(writer.need_constant(2, "the most"))[0];
  }
  write_call(writer, cat("adze_clamp_f32(", num_elements(writer.output_shape()), ", ", constant_text(low), ", ",
                         constant_text(high)));
}

void write_softmax(LayerWriter& writer) {
  const Shape x = writer.shape(0);
  const std::size_t axis = stored_axis(writer.node(), writer.node().get_int("axis"), x.size());
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= x[i];
  for (std::size_t i = axis + 1; i < x.size(); ++i) inner *= x[i];
  write_call(writer, cat("adze_softmax_f32(", outer, ", ", x[axis], ", ", inner));
}

void write_global_mean(LayerWriter& writer) {
  const Shape x = writer.shape(0);  // [N, spatial…, C]
  write_call(writer, cat("adze_mean_f32(", x[0], ", ", num_elements(x) / (x[0] * x.back()), ", ", x.back()));
}

void write_binary(LayerWriter& writer, const std::string& kernel) {
  const Walk walk = walk_of(writer);
  writer.use("adze_elementwise_f32.c");
  writer.use("adze_float.h");
  writer.line(cat("static const adze_binary_f32 layer = {", walk.text(), "};"));
  writer.line(
      cat(kernel, "(&layer, ", writer.in(0, "float"), ", ", writer.in(1, "float"), ", ", writer.out(0, "float"), ");"));
}

}  // namespace

bool write_float(LayerWriter& writer) {
  if (writer.dtype(0) != DType::F32 || writer.output_dtype() != DType::F32) return false;
  const std::int64_t count = num_elements(writer.output_shape());
  switch (writer.node().kind) {
    case OpKind::Conv:
      write_conv(writer);
      return true;
    case OpKind::Gemm:
    case OpKind::MatMul:
      write_gemm(writer);
      return true;
    case OpKind::AveragePool:
    case OpKind::MaxPool:
      write_pool(writer, writer.node().kind == OpKind::AveragePool);
      return true;
    case OpKind::GlobalAveragePool:
      write_global_mean(writer);
      return true;
    case OpKind::Relu:
    case OpKind::Clip:
      write_clamp(writer);
      return true;
    case OpKind::Softmax:
      write_softmax(writer);
      return true;
    case OpKind::Sigmoid:
      write_call(writer, cat("adze_sigmoid_f32(", count));
      return true;
    case OpKind::Tanh:
      write_call(writer, cat("adze_tanh_f32(", count));
      return true;
    case OpKind::Add:
      write_binary(writer, "adze_add_f32");
      return true;
    case OpKind::Sub:
      write_binary(writer, "adze_sub_f32");
      return true;
    case OpKind::Mul:
      write_binary(writer, "adze_mul_f32");
      return true;
    case OpKind::Div:
      write_binary(writer, "adze_div_f32");
      return true;
    default:
      return false;
  }
}

}  // namespace adze::emit
