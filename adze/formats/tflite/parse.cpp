#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "adze/base/checked.h"
#include "adze/formats/tflite/schema.h"

namespace adze::tflite {

DType dtype_of_tensor_type(std::int8_t type) {
  switch (type) {
    case 0:
      return DType::F32;
    case 1:
      return DType::F16;
    case 2:
      return DType::S32;
    case 3:
      return DType::U8;
    case 4:
      return DType::S64;
    case 6:
      return DType::Bool;
    case 7:
      return DType::S16;
    case 8:
      return DType::C64;
    case 9:
      return DType::S8;
    case 10:
      return DType::F64;
    case 11:
      return DType::C128;
    case 12:
      return DType::U64;
    case 15:
      return DType::U32;
    case 16:
      return DType::U16;
    case 17:
      return DType::S4;
    case 18:
      return DType::BF16;
    default:
      throw UnsupportedError(cat("tensors of TensorType ", static_cast<int>(type), " are not supported"));
  }
}

namespace {

constexpr std::size_t max_rank = 8;

Shape parse_shape(const Table& table) {
  const auto dims = table.vector<std::int32_t>(field::tensor::shape);
  if (dims.size() > max_rank) throw ModelError(cat("rank ", dims.size(), " is more than ", max_rank));
  Shape shape;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 0) throw ModelError(cat("dimension ", i, " is ", dims[i]));
    shape.push_back(dims[i]);
  }
  num_elements(shape);  // throws on overflow
  return shape;
}

std::optional<Quantization> parse_quantization(const Table& tensor, DType dtype, const Shape& shape) {
  const auto table = tensor.table(field::tensor::quantization);
  if (!table || !is_integer(dtype)) return std::nullopt;
  const auto scales = table->vector<float>(field::quantization::scale);
  const auto zero_points = table->vector<std::int64_t>(field::quantization::zero_point);
  if (scales.empty()) return std::nullopt;
  Quantization result;
  result.axis = table->scalar<std::int32_t>(field::quantization::axis);
  if (scales.size() > 1) {
    result.axis = normalize_axis(result.axis, std::ssize(shape));
    if (std::ssize(shape) == 0 ||
        shape[static_cast<std::size_t>(result.axis)] != static_cast<std::int64_t>(scales.size())) {
      throw ModelError(cat(scales.size(), " scales for axis ", result.axis, " of shape ", shape_text(shape)));
    }
  }
  if (zero_points.size() > 1 && zero_points.size() != scales.size()) {
    throw ModelError(cat(zero_points.size(), " zero points for ", scales.size(), " scales"));
  }
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const std::int64_t zero_point = zero_points.empty() ? 0 : zero_points[zero_points.size() == 1 ? 0 : i];
    if (!(scales[i] > 0.0f) || !std::isfinite(scales[i])) {
      throw ModelError(cat("scale ", i, " is ", scales[i], ", expected a positive number"));
    }
    if (zero_point < integer_min(dtype) || zero_point > integer_max(dtype)) {
      throw ModelError(cat("zero point ", i, " is ", zero_point, ", outside ", dtype_name(dtype)));
    }
    result.scales.push_back(scales[i]);
    result.zero_points.push_back(zero_point);
  }
  return result;
}

/// The content of a buffer: beside the table, or for files beyond 2 GB at an offset of the file.
std::optional<std::span<const std::byte>> parse_buffer(const WireData& file, const TableVector& buffers,
                                                       std::uint32_t index) {
  if (index == 0) return std::nullopt;  // by convention: no content
  if (index >= buffers.size()) throw ModelError(cat("buffer ", index, " of ", buffers.size(), " does not exist"));
  const Table buffer = buffers[index];
  const auto offset = buffer.scalar<std::uint64_t>(field::buffer::offset);
  if (offset > 1) return file.slice(offset, buffer.scalar<std::uint64_t>(field::buffer::size));
  const auto data = buffer.vector<std::uint8_t>(field::buffer::data);
  if (data.empty()) return std::nullopt;
  return data.bytes();
}

class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const ReadOptions& options)
      : file_(bytes), options_(options), root_(Table::root(file_, "TFL3")) {}

  Model parse() {
    const auto version = root_.scalar<std::uint32_t>(field::model::version);
    if (version != 3) throw UnsupportedError(cat("TFLite schema version ", version, ", expected 3"));
    buffers_ = root_.tables(field::model::buffers);
    parse_operator_codes();
    const TableVector subgraphs = root_.tables(field::model::subgraphs);
    if (subgraphs.size() == 0) throw ModelError("the model has no subgraph");
    const Table graph = subgraphs[0];
    model_.name = graph.string(field::subgraph::name);
    model_.description = root_.string(field::model::description);
    parse_metadata();
    parse_tensors(graph.tables(field::subgraph::tensors));
    parse_operators(graph.tables(field::subgraph::operators));
    model_.inputs = indices(graph.vector<std::int32_t>(field::subgraph::inputs), "graph input", false);
    model_.outputs = indices(graph.vector<std::int32_t>(field::subgraph::outputs), "graph output", false);
    if (model_.outputs.empty()) throw ModelError("the model has no output");
    return std::move(model_);
  }

 private:
  void check_budget(std::size_t count, std::int64_t most, const char* what) {
    if (static_cast<std::int64_t>(count) > most) throw LimitError(cat(count, " ", what, ", the limit is ", most));
  }

  /// Of other writers' entries nothing is known.
  void parse_metadata() {
    constexpr std::size_t most_bytes = 1 << 20;
    const TableVector entries = root_.tables(field::model::metadata);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string name(entries[i].string(field::metadata::name));
      if (!name.starts_with(own_metadata)) continue;
      const auto bytes = parse_buffer(file_, buffers_, entries[i].scalar<std::uint32_t>(field::metadata::buffer));
      if (!bytes || bytes->size() > most_bytes) continue;
      model_.metadata[name] = std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    }
  }

  void parse_operator_codes() {
    const TableVector codes = root_.tables(field::model::operator_codes);
    check_budget(codes.size(), options_.max_operators, "operator codes");
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const Table code = codes[i];
      // Old files have the one-byte field only; new ones fill both as far as it goes.
      const int number = std::max<int>(code.scalar<std::int8_t>(field::operator_code::short_code),
                                       code.scalar<std::int32_t>(field::operator_code::code));
      std::string name = operator_name(number);
      if (number == 32) name = cat("custom operator ", quoted(code.string(field::operator_code::custom_name)));
      codes_.emplace_back(number, std::move(name));
    }
  }

  void parse_tensors(const TableVector& tensors) {
    check_budget(tensors.size(), options_.max_tensors, "tensors");
    std::set<std::string, std::less<>> names;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Table table = tensors[i];
      const std::string_view name = table.string(field::tensor::name);
      const std::string place = cat("tensor ", i, " ", quoted(name.substr(0, 200)));
      try {
        TensorInfo tensor = parse_tensor(table);
        // Converters join the names of all that they fused by ";": the first one says enough.
        tensor.name = name.empty() ? cat("tensor_", i) : std::string(name.substr(0, name.find(';')));
        if (names.contains(tensor.name)) tensor.name = cat(tensor.name, "#", i);
        names.insert(tensor.name);
        model_.tensors.push_back(std::move(tensor));
      } catch (const Error& error) {
        rethrow_with_place(error, {"", place, ""});
      }
    }
  }

  TensorInfo parse_tensor(const Table& table) {
    TensorInfo tensor;
    const auto type = table.scalar<std::int8_t>(field::tensor::type);
    tensor.dtype = dtype_of_tensor_type(type);
    tensor.shape = parse_shape(table);
    if (table.table(field::tensor::sparsity)) throw UnsupportedError("sparse tensors are not supported");
    const auto signature = table.vector<std::int32_t>(field::tensor::shape_signature);
    tensor.dynamic_batch = signature.size() == tensor.shape.size() && !signature.empty() && signature[0] < 0;
    tensor.quantization = parse_quantization(table, tensor.dtype, tensor.shape);
    tensor.data = parse_buffer(file_, buffers_, table.scalar<std::uint32_t>(field::tensor::buffer));
    const std::int64_t wanted = storage_bytes(tensor.dtype, num_elements(tensor.shape));
    if (tensor.data && static_cast<std::int64_t>(tensor.data->size()) != wanted) {
      throw ModelError(cat("its buffer holds ", tensor.data->size(), " bytes, ", wanted, " expected for ",
                           dtype_name(tensor.dtype), shape_text(tensor.shape)));
    }
    if (!tensor.data && wanted == 0) tensor.data.emplace();
    return tensor;
  }

  void parse_operators(const TableVector& operators) {
    check_budget(operators.size(), options_.max_operators, "operators");
    for (std::size_t i = 0; i < operators.size(); ++i) {
      const Table table = operators[i];
      const auto code = table.scalar<std::uint32_t>(field::operation::code_index);
      if (code >= codes_.size()) throw ModelError(cat("operator ", i, " has code ", code, " of ", codes_.size()));
      Operator op;
      op.code = codes_[code].first;
      op.name = codes_[code].second;
      const std::string what = cat("operator ", i, " (", op.name, ")");
      op.inputs = indices(table.vector<std::int32_t>(field::operation::inputs), what, true);
      op.outputs = indices(table.vector<std::int32_t>(field::operation::outputs), what, false);
      op.options = table.table(field::operation::options);
      model_.operators.push_back(std::move(op));
    }
  }

  std::vector<std::int32_t> indices(const ScalarVector<std::int32_t>& vector, const std::string& what, bool optional) {
    std::vector<std::int32_t> result;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const std::int32_t index = vector[i];
      const bool absent = index == -1 && optional;
      if (!absent && (index < 0 || index >= std::ssize(model_.tensors))) {
        throw ModelError(cat(what, " refers to tensor ", index, " of ", model_.tensors.size()));
      }
      result.push_back(index);
    }
    return result;
  }

  WireData file_;
  const ReadOptions& options_;
  Table root_;
  TableVector buffers_;
  std::vector<std::pair<int, std::string>> codes_;
  Model model_;
};

}  // namespace

Model parse_model(std::span<const std::byte> bytes, const ReadOptions& options) {
  return Parser(bytes, options).parse();
}

}  // namespace adze::tflite
