#include "adze/formats/tflite/write_model.h"

#include <algorithm>
#include <map>
#include <span>

#include "adze/base/checked.h"

namespace adze::tflite {

std::int8_t tensor_type_of(DType dtype) {
  for (std::int8_t type = 0; type <= 18; ++type) {
    if (type == 5 || type == 13 || type == 14) continue;  // strings, resources and variants
    if (dtype_of_tensor_type(type) == dtype) return type;
  }
  throw UnsupportedError(cat("TFLite has no tensors of type ", dtype_name(dtype)));
}

namespace {

std::vector<std::int32_t> dims_of(const Shape& shape) {
  std::vector<std::int32_t> dims;
  for (const std::int64_t dim : shape) dims.push_back(checked_cast<std::int32_t>(dim, "a dimension"));
  return dims;
}

FlatPointer quantization_table(const Quantization& quantization) {
  auto table = flat_table();
  table->object(field::quantization::scale, flat_scalars(quantization.scales));
  table->object(field::quantization::zero_point, flat_scalars(quantization.zero_points));
  if (quantization.axis != 0) {
    table->scalar(field::quantization::axis, static_cast<std::int32_t>(quantization.axis));
  }
  return table;
}

FlatPointer tensor_table(const OutputTensor& tensor, std::uint32_t buffer) {
  auto table = flat_table();
  std::vector<std::int32_t> dims = dims_of(tensor.shape);
  table->object(field::tensor::shape, flat_scalars(dims));
  table->scalar(field::tensor::type, tensor_type_of(tensor.dtype));
  table->scalar(field::tensor::buffer, buffer);
  table->object(field::tensor::name, flat_text(tensor.name));
  if (tensor.quantization) table->object(field::tensor::quantization, quantization_table(*tensor.quantization));
  if (tensor.open_batch && !dims.empty()) {
    dims[0] = -1;
    table->object(field::tensor::shape_signature, flat_scalars(dims));
  }
  return table;
}

using Codes = std::map<std::pair<std::int32_t, std::int32_t>, std::uint32_t>;

FlatPointer operator_table(const OutputOperator& op, const Codes& codes) {
  constexpr int options_type = 3;
  auto table = flat_table();
  table->scalar(field::operation::code_index, codes.at({op.code, op.version}));
  table->object(field::operation::inputs, flat_scalars(op.inputs));
  table->object(field::operation::outputs, flat_scalars(op.outputs));
  if (op.options.kind != 0) {
    table->scalar(options_type, op.options.kind);
    table->object(field::operation::options, op.options.table);
  }
  return table;
}

FlatPointer code_table(std::int32_t code, std::int32_t version) {
  constexpr std::int32_t most_of_short_code = 127;  // BuiltinOperator::PLACEHOLDER_FOR_GREATER_OP_CODES
  auto table = flat_table();
  table->scalar(field::operator_code::short_code, static_cast<std::int8_t>(std::min(code, most_of_short_code)));
  table->scalar(field::operator_code::version, version);
  table->scalar(field::operator_code::code, code);
  return table;
}

}  // namespace

std::string serialize(const OutputModel& model) {
  std::vector<FlatPointer> buffers = {flat_table()}, tensors, operators, operator_codes;  // buffer 0 means "no content"
  for (const OutputTensor& tensor : model.tensors) {
    std::uint32_t buffer = 0;
    if (tensor.data) {
      buffer = static_cast<std::uint32_t>(buffers.size());
      buffers.push_back(flat_table());
      buffers.back()->object(field::buffer::data, flat_bytes(tensor.data->bytes(), 16));
    }
    tensors.push_back(tensor_table(tensor, buffer));
  }
  std::vector<FlatPointer> metadata;
  for (const auto& [name, value] : model.metadata) {
    metadata.push_back(flat_table());
    metadata.back()->object(field::metadata::name, flat_text(name));
    metadata.back()->scalar(field::metadata::buffer, static_cast<std::uint32_t>(buffers.size()));
    buffers.push_back(flat_table());
    buffers.back()->object(field::buffer::data, flat_bytes(std::as_bytes(std::span(value)), 16));
  }
  Codes codes;
  for (const OutputOperator& op : model.operators) {
    const auto next = static_cast<std::uint32_t>(codes.size());
    if (codes.emplace(std::pair(op.code, op.version), next).second) {
      operator_codes.push_back(code_table(op.code, op.version));
    }
    operators.push_back(operator_table(op, codes));
  }
  auto subgraph = flat_table();
  subgraph->object(field::subgraph::tensors, flat_tables(std::move(tensors)));
  subgraph->object(field::subgraph::inputs, flat_scalars(model.inputs));
  subgraph->object(field::subgraph::outputs, flat_scalars(model.outputs));
  subgraph->object(field::subgraph::operators, flat_tables(std::move(operators)));
  subgraph->object(field::subgraph::name, flat_text(model.name));
  FlatObject root;
  root.scalar(field::model::version, std::uint32_t{3});
  root.object(field::model::operator_codes, flat_tables(std::move(operator_codes)));
  root.object(field::model::subgraphs, flat_tables({subgraph}));
  root.object(field::model::description, flat_text(model.description));
  root.object(field::model::buffers, flat_tables(std::move(buffers)));
  if (!metadata.empty()) root.object(field::model::metadata, flat_tables(std::move(metadata)));
  return build_flatbuffer(root, "TFL3");
}

}  // namespace adze::tflite
