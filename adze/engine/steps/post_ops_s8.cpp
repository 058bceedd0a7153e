#include "adze/engine/steps/post_ops_s8.h"

namespace adze::engine {

namespace {

constexpr const char *stored_dtype = "post_stored", *sum_side = "post_side";
constexpr std::string_view sum_prefix = "post_sum.";

/// The sum as a node of its own again, without operands.
Node sum_of(const Node& node) {
  Node sum;
  sum.kind = OpKind::QAdd;
  sum.name = node.name;
  for (const auto& [name, value] : node.attributes) {
    if (name.starts_with(sum_prefix)) sum.set(name.substr(sum_prefix.size()), value);
  }
  return sum;
}

}  // namespace

void set_post_table(Node& node, DType stored, const Tensor& table) {
  node.set(post_table, table);
  node.set(stored_dtype, static_cast<std::int64_t>(stored));
}

void set_post_sum(Node& node, const Node& sum, std::size_t side, DType stored, ValueId other) {
  node.inputs.resize(post_sum_input, ValueId::None);
  node.inputs.push_back(other);
  for (const auto& [name, value] : sum.attributes) node.set(std::string(sum_prefix) + name, value);
  node.set(sum_side, static_cast<std::int64_t>(side));
  node.set(stored_dtype, static_cast<std::int64_t>(stored));
}

PostOpsS8::PostOpsS8(const BindContext& context) : channels_(context.output_shape().back()) {
  const Node& node = context.node();
  if (!node.has(stored_dtype)) return;
  const auto stored = static_cast<DType>(node.get_int(stored_dtype));
  if (node.has(post_table)) {
    const Tensor& given = std::get<Tensor>(*node.find(post_table));
    const std::int64_t lowest = integer_min(stored);
    std::array<std::uint8_t, 256> table;
    for (int byte = 0; byte < 256; ++byte) {
      const std::int64_t value = stored == DType::S8 ? static_cast<std::int8_t>(byte) : byte;
      table[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(given.get_int(value - lowest));
    }
    table_ = std::make_shared<const std::array<std::uint8_t, 256>>(table);
    look_up_ = kernels::table_u8_kernel(context.isa()).run;
    return;
  }
  const auto side = static_cast<std::size_t>(node.get_int(sum_side));
  auto* y = context.out<std::uint8_t>();
  BinaryS8Operand operands[2];
  operands[side] = {y, stored, context.output_shape()};
  operands[1 - side] = {context.in_u8(post_sum_input), context.dtype(post_sum_input), context.shape(post_sum_input)};
  sum_ = bind_binary_kernel_s8(sum_of(node), operands[0], operands[1], context.output_shape(), y, context.isa());
}

void PostOpsS8::apply(std::uint8_t* y, std::int64_t first_pixel, std::int64_t pixels) const {
  if (table_ != nullptr) look_up_(y, pixels * channels_, table_->data(), y);
  if (sum_ != nullptr) sum_->run(first_pixel, first_pixel + pixels, 0);
}

}  // namespace adze::engine
