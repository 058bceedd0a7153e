// Elementwise operators and softmax.
#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/emit/c/stream.h"
#include "adze/emit/c/walk.h"
#include "adze/emit/c/work.h"
#include "adze/numerics/quantized_arithmetic.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

namespace {

/// A sum of equal shapes in adze_add_fast_s8; false when that cannot give the same bytes.
bool write_fast_add(LayerWriter& writer) {
  const Node& node = writer.node();
  Affine a = left_affine(node), b = right_affine(node);
  const Affine y = output_affine(node);
  const bool equal = node.kind == OpKind::QAdd && writer.shape(0) == writer.shape(1);
  if (!equal || rounding_of(node) != RoundingProfile::Tflm) return false;
  const bool swapped = a.scale < b.scale;
  if (swapped) std::swap(a, b);
  // The larger scale is half of the common one: exact. The other is less than half, so it is shifted to the right.
  const double common = 2.0 * static_cast<double>(a.scale);
  const FixedMultiplier by_b = quantize_multiplier(static_cast<double>(b.scale) / common);
  const RequantizeParameters by_y =
      make_requantize(RoundingProfile::Tflm, common / ((1 << 20) * static_cast<double>(y.scale)));
  const std::int32_t no_bias = 0;
  const SumRange range{-(std::int64_t{1} << 29), std::int64_t{1} << 29};
  const ChannelTable table = channel_table({&by_y, 1}, {&no_bias, 1}, {&range, 1}, y);
  const bool same_scale = a.scale == b.scale;
  if (!same_scale && (by_b.shift > -1 || by_b.shift < -30)) return false;
  if (table.kind != 0) return false;
  writer.use("adze_add_fast_s8.c");
  writer.open("static const adze_add layer =");
  writer.line(cat(num_elements(writer.output_shape()), ", ",
                  -(a.zero_point + (same_scale ? b.zero_point : 0)) * (1 << 19), ", ", -b.zero_point * (1 << 21), ","));
  writer.line(same_scale ? "0, 0, 0," : cat(by_b.multiplier, ", ", 1 << (-by_b.shift - 1), ", ", -by_b.shift, ","));
  const Channel& channel = table.channels[0];
  writer.line(cat(channel.multiplier, ", ", channel.offset, ", ", channel.shift, ", ", y.min, ", ", y.max));
  writer.close(";");
  if (writer.constant(0) == nullptr && writer.constant(1) == nullptr) declare_elementwise_rows(writer, {0, 1});
  const std::string numbers = writer.numbers("adze_add", row_elements(writer));
  writer.line(cat("adze_add_fast_s8(", numbers, ", ", writer.in(swapped ? 1 : 0), ", ", writer.in(swapped ? 0 : 1),
                  ", ", writer.out(), ");"));
  return true;
}

void write_binary(LayerWriter& writer) {
  writer.takes(element_work(15.0 * static_cast<double>(num_elements(writer.output_shape()))));
  // Element by element: behind the reading of an operand of the same shape.
  for (const std::size_t input : {std::size_t{0}, std::size_t{1}}) {
    if (writer.shape(input) == writer.output_shape()) writer.may_overlap(input, 0);
  }
  if (write_fast_add(writer)) return;
  const Node& node = writer.node();
  const Affine a = left_affine(node), b = right_affine(node), y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  const Walk walk = walk_of(writer);
  const auto [by_a, by_b, by_y] = binary_requantize(node, 20);
  writer.use("adze_binary_s8.c");
  writer.open("static const adze_binary layer =");
  writer.line(cat(walk.text(), ", ", node.kind == OpKind::QSub ? 1 : 0, ", ", a.zero_point, ", ", b.zero_point, ","));
  writer.line(cat(channel_text(general_channel(by_a)), ", ", channel_text(general_channel(by_b)), ", ",
                  channel_text(general_channel(by_y)), ","));
  writer.line(cat(constant_text(a.scale), ", ", constant_text(b.scale), ", ", constant_text(y.scale), ", ",
                  output_text(general_kind(profile), y)));
  writer.close(";");
  const bool equal = writer.shape(0) == writer.shape(1) && writer.shape(0) == writer.output_shape();
  if (equal && writer.constant(0) == nullptr && writer.constant(1) == nullptr) declare_elementwise_rows(writer, {0, 1});
  const std::string numbers = writer.numbers("adze_binary", row_elements(writer));
  writer.line(cat(node.kind == OpKind::QMul ? "adze_mul_s8" : "adze_add_s8", "(", numbers, ", ", writer.in(0), ", ",
                  writer.in(1), ", ", writer.out(), ");"));
}

void write_softmax(LayerWriter& writer) {
  const Node& node = writer.node();
  const Shape x = writer.shape(0);
  const std::size_t axis = stored_axis(node, node.get_int("axis"), x.size());
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= x[i];
  for (std::size_t i = axis + 1; i < x.size(); ++i) inner *= x[i];
  const Affine from = input_affine(node), y = output_affine(node);
  const QuantizedSoftmax softmax = quantized_softmax(node);
  const auto exponentials = softmax.exponentials();
  std::string numbers;
  if (exponentials.empty()) {  // as QuantizedSoftmax: 5 integer bits
    const double multiplier = static_cast<double>(from.scale) * static_cast<double>(1 << 26);
    const FixedMultiplier by = quantize_multiplier(std::min(multiplier, 2147483647.0));
    numbers = cat(by.multiplier, ", ", by.shift, ", ", -fixed_input_radius(5, by.shift), ", 0");
  } else {
    numbers = cat("0, 0, 0, ", writer.table("exponentials", "uint32_t",
                                            std::vector<std::uint32_t>(exponentials.begin(), exponentials.end())));
  }
  const std::string kernel = exponentials.empty() ? "adze_softmax_s8" : "adze_softmax_shares_s8";
  writer.use(cat(kernel, ".c"));
  writer.open("static const adze_softmax layer =");
  writer.line(cat(outer, ", ", x[axis], ", ", inner, ", ", numbers, ", ", constant_text(y.scale), ", ",
                  output_text(general_kind(rounding_of(node)), y)));
  writer.close(";");
  writer.line(cat(kernel, "(&layer, ", writer.in(0), ", ", writer.out(), ");"));
}

void write_table(LayerWriter& writer) {
  const auto entries = writer.need_constant(1, "the table").data<std::int8_t>();
  const std::string table = writer.table("table", "int8_t", std::vector<std::int8_t>(entries.begin(), entries.end()));
  writer.use("adze_table_s8.c");
  declare_elementwise_rows(writer, {0});
  writer.line(cat("adze_table_s8(", table, ", ", writer.elements(num_elements(writer.output_shape())), ", ",
                  writer.in(0), ", ", writer.out(), ");"));
}

void write_rescale(LayerWriter& writer) {
  const Node& node = writer.node();
  const RequantizeParameters by = requantize_parameters(node, 1)[0];
  writer.use("adze_rescale_s8.c");
  writer.line(cat("static const adze_rescale layer = {", num_elements(writer.output_shape()), ", ",
                  input_affine(node).zero_point, ", ", channel_text(general_channel(by)), ", ",
                  output_text(general_kind(by.profile), output_affine(node)), "};"));
  declare_elementwise_rows(writer, {0});
  const std::string numbers = writer.numbers("adze_rescale", row_elements(writer));
  writer.line(cat("adze_rescale_s8(", numbers, ", ", writer.in(0), ", ", writer.out(), ");"));
}

/// QuantizeLinear and DequantizeLinear with one scale.
void write_conversion(LayerWriter& writer) {
  const bool to_bytes = writer.node().kind == OpKind::QuantizeLinear;
  const Tensor& scale = writer.need_constant(1, "the scale");
  const Tensor* zero_point = writer.constant(2);
  const std::int64_t zero = zero_point == nullptr ? 0 : zero_point->get_int(0);
  if (scale.size() != 1 || scale.dtype() != DType::F32) writer.refuse("scales by channel");
  const DType bytes = to_bytes ? writer.output_dtype() : writer.dtype(0);
  const DType reals = to_bytes ? writer.dtype(0) : writer.output_dtype();
  if (bytes != DType::S8 || reals != DType::F32) writer.refuse("only s8 and f32 can be written as C");
  writer.use("adze_quantize.c");
  writer.line(cat(to_bytes ? "adze_quantize_s8(" : "adze_dequantize_s8(", num_elements(writer.output_shape()), ", ",
                  constant_text(static_cast<float>(scale.get_double(0))), ", ", zero, ", ",
                  writer.in(0, to_bytes ? "float" : "int8_t"), ", ", writer.out(0, to_bytes ? "int8_t" : "float"),
                  ");"));
}

void require_s8(LayerWriter& writer, std::size_t operands) {
  bool fits = writer.output_dtype() == DType::S8;
  for (std::size_t i = 0; i < operands; ++i) fits = fits && writer.dtype(i) == DType::S8;
  if (!fits) writer.refuse("only s8 activations can be written as C");
}

}  // namespace

bool write_arithmetic(LayerWriter& writer) {
  switch (writer.node().kind) {
    case OpKind::QAdd:
    case OpKind::QSub:
    case OpKind::QMul:
      require_s8(writer, 2);
      write_binary(writer);
      return true;
    case OpKind::QSoftmax:
      require_s8(writer, 1);
      write_softmax(writer);
      return true;
    case OpKind::QTable:
      require_s8(writer, 1);
      write_table(writer);
      return true;
    case OpKind::QRequantize:
      require_s8(writer, 1);
      write_rescale(writer);
      return true;
    case OpKind::QuantizeLinear:
    case OpKind::DequantizeLinear:
      write_conversion(writer);
      return true;
    default:
      return false;
  }
}

}  // namespace adze::emit
