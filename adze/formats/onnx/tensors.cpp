#include "adze/formats/onnx/tensors.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "adze/base/checked.h"
#include "adze/base/text.h"

namespace adze::onnx {

namespace {

// Field numbers of TensorProto.
enum : std::uint32_t {
  dims_field = 1,
  dtype_field = 2,
  segment_field = 3,
  float_field = 4,
  int32_field = 5,
  string_field = 6,
  int64_field = 7,
  name_field = 8,
  raw_field = 9,
  double_field = 10,
  uint64_field = 11,
  external_field = 13,
  location_field = 14,
};

/// Everything but the typed data.
struct Header {
  std::string name;
  Shape dims;
  DType dtype = DType::Undefined;
  std::optional<Bytes> raw;
  bool is_external = false;
  std::vector<Bytes> external;
  std::uint32_t typed_field = 0;  ///< the repeated field that holds elements; 0 when none does
};

DType checked_dtype(std::int64_t number) {
  if (number == 0) throw ModelError("tensor has no element type");
  if (number < 0 || number >= num_dtypes) throw UnsupportedError(cat("tensor element type ", number, " is not known"));
  return static_cast<DType>(number);
}

void parse_header_field(const Field& field, Header& header) {
  switch (field.number()) {
    case dims_field:
      field.append_to(header.dims);
      break;
    case dtype_field:
      header.dtype = checked_dtype(field.integer());
      break;
    case segment_field:
      throw UnsupportedError("tensors in segments are not supported");
    case name_field:
      header.name = field.text();
      break;
    case raw_field:
      header.raw = field.bytes();
      break;
    case external_field:
      header.external.push_back(field.bytes());
      break;
    case location_field:
      header.is_external = field.integer() == 1;
      break;
    case float_field:
    case int32_field:
    case string_field:
    case int64_field:
    case double_field:
    case uint64_field:
      if (header.typed_field != 0 && header.typed_field != field.number()) {
        throw ModelError("tensor stores its elements in two fields");
      }
      header.typed_field = field.number();
      break;
    default:
      break;
  }
}

/// The repeated field that elements of dtype belong to.
std::uint32_t field_of(DType dtype) {
  switch (dtype) {
    case DType::F32:
    case DType::C64:
      return float_field;
    case DType::F64:
    case DType::C128:
      return double_field;
    case DType::S64:
      return int64_field;
    case DType::U32:
    case DType::U64:
      return uint64_field;
    case DType::String:
      return string_field;
    default:
      return int32_field;
  }
}

bool is_packed(DType dtype) {
  return dtype == DType::S4 || dtype == DType::U4;
}

/// True and false may only be 1 and 0 in memory; files may say anything.
Tensor with_clean_bools(Tensor tensor) {
  if (tensor.dtype() != DType::Bool) return tensor;
  const auto bytes = tensor.bytes();
  const bool clean = std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return std::to_integer<int>(b) <= 1; });
  if (clean) return tensor;
  for (std::byte& byte : tensor.mutable_bytes()) byte = byte == std::byte{0} ? std::byte{0} : std::byte{1};
  return tensor;
}

Tensor view_bytes(const Header& header, Bytes bytes, std::shared_ptr<const void> owner) {
  if (header.dtype == DType::String) throw ModelError("tensor of strings has raw bytes");
  return with_clean_bools(Tensor::view(header.dtype, header.dims, std::move(owner), bytes));
}

std::int64_t parse_external_number(std::string_view key, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    throw ModelError(cat("external data ", key, " is ", quoted(text), ", expected a number of bytes"));
  }
  return number;
}

Tensor decode_external(const Header& header, const TensorSource& source) {
  std::string location;
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;
  for (const Bytes entry : header.external) {
    std::string_view key, value;
    for (WireCursor cursor(entry, "StringStringEntryProto"); cursor.next();) {
      if (cursor.field().number() == 1) key = cursor.field().text();
      if (cursor.field().number() == 2) value = cursor.field().text();
    }
    if (key == "location") location = value;
    if (key == "offset") offset = parse_external_number(key, value);
    if (key == "length") length = parse_external_number(key, value);
  }
  if (source.external == nullptr) throw ModelError("external data is not allowed here");
  const std::int64_t wanted = storage_bytes(header.dtype, num_elements(header.dims));
  if (length && *length != wanted) {
    throw ModelError(cat("external data has length ", *length, ", but the tensor needs ", wanted, " bytes"));
  }
  const auto file = source.external->open(location);
  const auto size = static_cast<std::int64_t>(file->bytes().size());
  if (offset > size || wanted > size - offset) {
    throw ModelError(cat("external data ", adze::quoted(location), " has ", size, " bytes, but the tensor needs ",
                         wanted, " from byte ", offset));
  }
  return view_bytes(header, file->bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(wanted)),
                    file);
}

/// The chunks of the typed field: each a packed run, or one unpacked element.
template <typename F>
void for_each_chunk(Bytes message, std::uint32_t number, F&& f) {
  for (WireCursor cursor(message, "TensorProto"); cursor.next();) {
    if (cursor.field().number() == number) f(cursor.field());
  }
}

[[noreturn]] void wrong_count(const Header& header, std::int64_t wanted, std::int64_t found) {
  throw ModelError(cat("tensor ", dtype_name(header.dtype), shape_text(header.dims), " needs ", wanted,
                       " stored elements, found ", found));
}

/// float_data and double_data: little-endian numbers, which are the tensor's bytes already.
Tensor decode_fixed(Bytes message, const Header& header, const TensorSource& source) {
  const bool wide = header.typed_field == double_field;
  std::vector<Bytes> chunks;
  std::vector<std::byte> singles;
  for_each_chunk(message, header.typed_field, [&](const Field& field) {
    if (field.type() == WireType::Length) {
      chunks.push_back(field.bytes());
      return;
    }
    if (field.type() != (wide ? WireType::Fixed64 : WireType::Fixed32)) {
      throw ModelError("tensor data has the wrong wire type");
    }
    const Bytes single = field.fixed_bytes();
    singles.insert(singles.end(), single.begin(), single.end());
  });
  if (chunks.size() == 1 && singles.empty()) return view_bytes(header, chunks.front(), source.owner);
  if (!chunks.empty() && !singles.empty()) throw ModelError("tensor data is partly packed");
  for (const Bytes chunk : chunks) singles.insert(singles.end(), chunk.begin(), chunk.end());
  const std::int64_t wanted = storage_bytes(header.dtype, num_elements(header.dims));
  if (static_cast<std::int64_t>(singles.size()) != wanted) {
    throw ModelError(cat("tensor ", dtype_name(header.dtype), shape_text(header.dims), " needs ", wanted,
                         " bytes, found ", singles.size()));
  }
  Tensor tensor(header.dtype, header.dims);
  if (wanted > 0) std::memcpy(tensor.mutable_bytes().data(), singles.data(), singles.size());
  return tensor;
}

Tensor decode_strings(Bytes message, const Header& header) {
  std::int64_t count = 0;
  for_each_chunk(message, string_field, [&](const Field&) { ++count; });
  if (count != num_elements(header.dims)) wrong_count(header, num_elements(header.dims), count);
  Tensor tensor(DType::String, header.dims);
  const auto out = tensor.mutable_data<std::string>();
  std::size_t i = 0;
  for_each_chunk(message, string_field, [&](const Field& field) { out[i++] = field.raw_text(); });
  return tensor;
}

/// One varint as the bytes of an element of `bits` bits, or ModelError when it does not fit.
void store_integer(std::int64_t value, DType dtype, int bits, std::byte* out) {
  const bool is_signed = is_signed_integer(dtype) && !is_packed(dtype);
  const bool fits =
      bits == 64 || (is_signed ? value >= -(std::int64_t{1} << (bits - 1)) && value < (std::int64_t{1} << (bits - 1))
                               : value >= 0 && value < (std::int64_t{1} << bits));
  // Packed nibbles and float bit patterns may have been sign-extended on their way through int32.
  const bool is_pattern = is_packed(dtype) || is_float(dtype);
  const bool fits_pattern = is_pattern && value >= -(std::int64_t{1} << (bits - 1)) && value < 0;
  if (!fits && !fits_pattern) throw ModelError(cat("tensor element ", value, " does not fit into ", dtype_name(dtype)));
  std::memcpy(out, &value, static_cast<std::size_t>(bits / 8));
}

/// int32_data, int64_data and uint64_data. Packed 4-bit types hold two elements in each stored integer.
Tensor decode_varints(Bytes message, const Header& header) {
  const std::int64_t size = num_elements(header.dims);
  const int bits = is_packed(header.dtype) ? 8 : dtype_bits(header.dtype);
  const std::int64_t wanted = is_packed(header.dtype) ? storage_bytes(header.dtype, size) : size;
  std::int64_t found = 0;
  for_each_chunk(message, header.typed_field, [&](const Field& field) {
    found += field.type() == WireType::Varint ? 1 : count_varints(field.bytes());
  });
  if (found != wanted) wrong_count(header, wanted, found);
  Tensor tensor(header.dtype, header.dims);
  std::byte* out = tensor.mutable_bytes().data();
  const auto store = [&](std::int64_t value) {
    store_integer(value, header.dtype, bits, out);
    out += bits / 8;
  };
  for_each_chunk(message, header.typed_field, [&](const Field& field) {
    if (field.type() == WireType::Varint) {
      store(field.integer());
      return;
    }
    const Bytes packed = field.bytes();
    for (std::size_t position = 0; position < packed.size();) {
      store(static_cast<std::int64_t>(read_varint(packed, position)));
    }
  });
  return with_clean_bools(std::move(tensor));
}

Tensor decode_data(Bytes message, const Header& header, const TensorSource& source) {
  const std::int64_t size = num_elements(header.dims);
  const int carriers = (header.raw ? 1 : 0) + (header.is_external ? 1 : 0) + (header.typed_field != 0 ? 1 : 0);
  if (carriers > 1) throw ModelError("tensor stores its elements in more than one way");
  if (header.is_external) return decode_external(header, source);
  if (header.raw) return view_bytes(header, *header.raw, source.owner);
  if (header.typed_field == 0) {
    if (size != 0) wrong_count(header, size, 0);
    return Tensor(header.dtype, header.dims);
  }
  if (header.typed_field != field_of(header.dtype)) {
    throw ModelError(cat("tensor of ", dtype_name(header.dtype), " stores its elements in the field of another type"));
  }
  if (header.typed_field == string_field) return decode_strings(message, header);
  if (header.typed_field == float_field || header.typed_field == double_field) {
    return decode_fixed(message, header, source);
  }
  return decode_varints(message, header);
}

}  // namespace

NamedTensor decode_tensor(Bytes message, const TensorSource& source) {
  Header header;
  for (WireCursor cursor(message, "TensorProto"); cursor.next();) parse_header_field(cursor.field(), header);
  try {
    if (header.dtype == DType::Undefined) throw ModelError("tensor has no element type");
    return {header.name, decode_data(message, header, source)};
  } catch (const Error& error) {
    if (header.name.empty()) throw;
    rethrow_with_place(error, {"", cat("tensor ", header.name), ""});
  }
}

}  // namespace adze::onnx
