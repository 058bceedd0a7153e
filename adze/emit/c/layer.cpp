#include "adze/emit/c/layer.h"

#include <algorithm>
#include <bit>

#include "adze/base/text.h"
#include "adze/emit/c/words.h"

namespace adze::emit {

namespace {

Shape known_shape(const Value& value) {
  if (value.constant) return value.constant->shape();
  const auto shape = value.type.shape ? concrete(*value.type.shape) : std::nullopt;
  if (!shape) throw UnsupportedError(cat("the shape of ", quoted(value.name), " is not known before running"));
  return *shape;
}

}  // namespace

void LayerWriter::refuse(std::string_view why) const {
  throw UnsupportedError(cat("node ", quoted(node_.name), ", operator ", op_info(node_.kind).name, ": ", why));
}

const Tensor& LayerWriter::need_constant(std::size_t input, std::string_view what) const {
  const Tensor* tensor = constant(input);
  if (tensor == nullptr) refuse(cat(what, " must be constant to be written as C"));
  return *tensor;
}

Shape LayerWriter::shape(std::size_t input) const {
  return known_shape(network_.graph.value(node_.inputs[input]));
}

Shape LayerWriter::output_shape(std::size_t output) const {
  return known_shape(network_.graph.value(node_.outputs[output]));
}

std::int64_t LayerWriter::offset(ValueId id) const {
  return network_.graph.constant(id) != nullptr ? -1 : network_.plan.at(id).offset;
}

std::string LayerWriter::stored_table(std::string_view type, const std::string& name,
                                      std::span<const std::byte> bytes) {
  constexpr std::size_t alignment = 8;
  std::string& file = network_.weights_file;
  file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
  network_.data.line(cat("#define ", name, " ((const ", type, " *)(const void *)(", network_.options.name,
                         "_weights + ", file.size(), "))"));
  for (const std::byte byte : bytes) file += static_cast<char>(byte);
  return name;
}

std::string LayerWriter::constant_pointer(ValueId id, std::string_view type) {
  const Tensor& tensor = *network_.graph.constant(id);
  const std::string suffix = cat("constant", network_.constants++);
  if (tensor.dtype() == DType::S8 && type == "int8_t") {
    const auto data = tensor.data<std::int8_t>();
    return table(suffix, "int8_t", std::vector<std::int8_t>(data.begin(), data.end()));
  }
  if (tensor.dtype() == DType::F32 && type == "float") {
    const auto data = tensor.data<float>();
    return table(suffix, "float", std::vector<float>(data.begin(), data.end()));
  }
  refuse(cat("a constant operand of type ", type_text(tensor), " has no C form here"));
}

std::string Network::at(std::int64_t offset) const {
  if (arrays.empty()) return cat("AT(", offset, ")");
  std::size_t array = 0;
  while (array + 1 < arrays.size() && offset >= arrays[array + 1].begin) ++array;
  return cat("AT", array == 0 ? std::string() : cat(array), "(", offset - arrays[array].begin, ")");
}

std::string LayerWriter::in(std::size_t input, std::string_view type) {
  const ValueId id = node_.inputs[input];
  if (network_.graph.constant(id) != nullptr) return constant_pointer(id, type);
  if (group_ != nullptr) {
    const auto& operands = memory().rows.operands;
    const auto found = std::find(operands.begin(), operands.end(), input);
    return cat("band->in[", found - operands.begin(), "]");
  }
  const std::int64_t at = offset(id);
  if (at < 0) refuse("an operand whose size is not known before running");
  return cat("(const ", type, " *)", network_.at(at));
}

std::string LayerWriter::out(std::size_t output, std::string_view type) {
  if (group_ != nullptr) return "band->out";
  const std::int64_t at = offset(node_.outputs[output]);
  if (at < 0) refuse("a result whose size is not known before running");
  return cat("(", type, " *)", network_.at(at));
}

std::string LayerWriter::scratch(std::int64_t bytes) {
  memory().scratch_bytes = std::max(memory().scratch_bytes, bytes);
  const auto planned = network_.plan.scratch.find(network_.plan.order[static_cast<std::size_t>(step_)]);
  const std::int64_t behind = group_ == nullptr ? 0 : row_state_bytes(*group_);
  return network_.at(planned == network_.plan.scratch.end() ? 0 : planned->second + behind);
}

std::string LayerWriter::numbers(std::string_view type, std::string_view more) {
  if (group_ == nullptr) return "&layer";
  line(cat("const ", type, " part = ", type, "_band(&layer, band", more, ");"));
  return "&part";
}

std::string LayerWriter::elements(std::int64_t count) const {
  return group_ == nullptr ? cat(count) : cat("band->rows * ", count / output_shape()[1]);
}

void write_layer(LayerWriter& writer) {
  if (write_recurrent(writer) || write_words(writer)) return;
  if (write_compute(writer) || write_pool(writer) || write_arithmetic(writer)) return;
  if (write_movement(writer) || write_float(writer)) return;
  writer.refuse("this operator cannot be written as C");
}

int general_kind(RoundingProfile profile) {
  switch (profile) {
    case RoundingProfile::Tflm:
      return 1;
    case RoundingProfile::Litert:
      return 2;
    case RoundingProfile::Onnx:
      break;
  }
  return 3;
}

Channel general_channel(const RequantizeParameters& by) {
  if (by.profile == RoundingProfile::Onnx) return {0, std::bit_cast<std::int32_t>(by.scale), 0, 0};
  return {0, by.fixed.multiplier, 0, by.fixed.shift};
}

namespace {

/// The form of numerics that ADZE_FAST computes, when no intermediate can leave 32 bits.
std::optional<Channel> fast_channel(const RequantizeParameters& by, std::int32_t bias, const SumRange& range,
                                    const Affine& y) {
  constexpr std::int64_t limit = std::int64_t{1} << 31;
  if (by.profile != RoundingProfile::Tflm || range.low < -limit || range.high >= limit) return std::nullopt;
  // Channels that training has emptied give one number whatever comes: their scales leave all bounds.
  const std::int32_t lowest = requantize_to(static_cast<std::int32_t>(range.low), by, y);
  if (lowest == requantize_to(static_cast<std::int32_t>(range.high), by, y)) {
    return Channel{bias, 0, 2 * lowest + 1, 1};
  }
  const std::int64_t bound = std::max(std::abs(range.low), std::abs(range.high));
  const int right = -by.fixed.shift;
  if (bound >= limit / 2 || right < 1 || right > 30) return std::nullopt;
  const std::int64_t offset =
      (std::int64_t{1} << (right - 1)) + std::int64_t{y.zero_point} * (std::int64_t{1} << right);
  if (std::abs(offset) + bound >= limit) return std::nullopt;
  return Channel{bias, by.fixed.multiplier, static_cast<std::int32_t>(offset), right};
}

}  // namespace

ChannelTable channel_table(std::span<const RequantizeParameters> by, std::span<const std::int32_t> biases,
                           std::span<const SumRange> ranges, const Affine& y) {
  ChannelTable table;
  table.kind = 0;
  for (std::size_t i = 0; i < by.size() && table.kind == 0; ++i) {
    const auto channel = i < ranges.size() ? fast_channel(by[i], biases[i], ranges[i], y) : std::nullopt;
    if (channel) {
      table.channels.push_back(*channel);
    } else {
      table.kind = general_kind(by[i].profile);
    }
  }
  if (table.kind == 0) return table;
  table.channels.clear();
  for (std::size_t i = 0; i < by.size(); ++i) {
    table.channels.push_back(general_channel(by[i]));
    table.channels.back().bias = biases[i];
  }
  return table;
}

std::string channel_text(const Channel& channel) {
  return cat("{", constant_text(channel.bias), ", ", constant_text(channel.multiplier), ", ",
             constant_text(channel.offset), ", ", constant_text(channel.shift), "}");
}

std::string output_text(int kind, const Affine& y) {
  return cat("{", kind, ", ", y.zero_point, ", ", y.min, ", ", y.max, "}");
}

}  // namespace adze::emit
