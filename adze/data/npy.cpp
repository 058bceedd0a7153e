#include "adze/data/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "adze/base/checked.h"
#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze {

namespace {

constexpr std::size_t max_header_bytes = std::size_t{1} << 20;
constexpr std::size_t max_rank = 64;
constexpr char magic[] = "\x93NUMPY";

struct DescrName {
  const char* text;
  DType dtype;
};
// NumPy's type codes, then the names under which ml_dtypes registers the types that NumPy lacks.
constexpr DescrName descr_names[] = {{"f4", DType::F32},
                                     {"f8", DType::F64},
                                     {"f2", DType::F16},
                                     {"u1", DType::U8},
                                     {"i1", DType::S8},
                                     {"u2", DType::U16},
                                     {"i2", DType::S16},
                                     {"i4", DType::S32},
                                     {"u4", DType::U32},
                                     {"i8", DType::S64},
                                     {"u8", DType::U64},
                                     {"b1", DType::Bool},
                                     {"c8", DType::C64},
                                     {"c16", DType::C128},
                                     {"bfloat16", DType::BF16},
                                     {"float8_e4m3fn", DType::F8E4M3},
                                     {"float8_e4m3fnuz", DType::F8E4M3Fnuz},
                                     {"float8_e5m2", DType::F8E5M2},
                                     {"float8_e5m2fnuz", DType::F8E5M2Fnuz}};

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// The header is a Python dict literal with three keys; read without a Python parser.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        if (peek() == '[') throw UnsupportedError("npy file holds records (structured dtype)", {name_, {}, {}});
        header.descr = string();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = tuple();
      } else {
        fail("has an unknown key");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (header.descr.empty()) fail("has no 'descr'");
    return header;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw ModelError(cat("npy header ", what, " at character ", position_), {name_, {}, {}});
  }
  void skip_blanks() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
  }
  char peek() {
    skip_blanks();
    return position_ < text_.size() ? text_[position_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail("is malformed");
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("is malformed");
    const auto end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) fail("has an unfinished text");
    std::string result(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return result;
  }
  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return word == "True";
      }
    }
    fail("has no True or False");
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t value = -1;
      const char* begin = text_.data() + position_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
      if (error != std::errc() || value < 0) fail("has a bad dimension");
      position_ += static_cast<std::size_t>(end - begin);
      shape.push_back(value);
      if (shape.size() > max_rank) fail("has too many dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t position_ = 0;
};

struct ElementType {
  DType dtype = DType::Undefined;
  bool swap = false;
  std::int64_t text_bytes = 0;  ///< of one fixed-length text; 0 for numbers
  bool wide = false;            ///< U: four bytes a character
};

ElementType element_type(const std::string& descr, const std::string& name) {
  ElementType type;
  std::string_view code = descr;
  if (!code.empty() && std::string_view("<>|=").find(code[0]) != std::string_view::npos) {
    type.swap = code[0] == '>';
    code.remove_prefix(1);
  }
  for (const auto& known : descr_names) {
    if (code == known.text) {
      type.dtype = known.dtype;
      return type;
    }
  }
  if (code.size() > 1 && (code[0] == 'S' || code[0] == 'U')) {
    std::int64_t length = 0;
    const auto [end, error] = std::from_chars(code.data() + 1, code.data() + code.size(), length);
    if (error == std::errc() && end == code.data() + code.size() && length >= 0 && length < (1 << 24)) {
      type.dtype = DType::String;
      type.wide = code[0] == 'U';
      type.text_bytes = std::max<std::int64_t>(length, 0) * (type.wide ? 4 : 1);
      return type;
    }
  }
  throw UnsupportedError(cat("npy element type ", adze::quoted(descr)), {name, {}, {}},
                         "numbers, bool and fixed-length text are read");
}

void swap_bytes(std::span<std::byte> bytes, std::size_t width) {
  if (width < 2) return;
  for (std::size_t i = 0; i + width <= bytes.size(); i += width)
    std::reverse(bytes.begin() + i, bytes.begin() + i + width);
}

/// Column-major to row-major: the source's first dimension runs fastest.
Tensor from_fortran(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  Tensor out(tensor.dtype(), shape);
  const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype()) / 8);
  const auto in = tensor.bytes();
  const auto target = out.mutable_bytes();
  Shape strides(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) strides[d] = strides[d - 1] * shape[d - 1];
  Shape at(shape.size(), 0);
  std::int64_t source = 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    std::memcpy(target.data() + static_cast<std::size_t>(i) * width,
                in.data() + static_cast<std::size_t>(source) * width, width);
    for (std::size_t d = shape.size(); d-- > 0;) {
      source += strides[d];
      if (++at[d] < shape[d]) break;
      source -= strides[d] * shape[d];
      at[d] = 0;
    }
  }
  return out;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | ((c >> 18) & 0x07));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

Tensor read_texts(std::span<const std::byte> bytes, const ElementType& type, const Shape& shape) {
  Tensor tensor(DType::String, shape);
  const auto out = tensor.mutable_data<std::string>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto item =
        bytes.subspan(i * static_cast<std::size_t>(type.text_bytes), static_cast<std::size_t>(type.text_bytes));
    if (!type.wide) {
      out[i].assign(reinterpret_cast<const char*>(item.data()), item.size());
      out[i].resize(out[i].find_last_not_of('\0') + 1);
      continue;
    }
    for (std::size_t c = 0; c + 4 <= item.size(); c += 4) {
      const auto byte = [&](std::size_t k) {
        return std::to_integer<std::uint32_t>(item[c + (type.swap ? 3 - k : k)]);
      };
      const std::uint32_t code = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
      if (code == 0) break;
      append_utf8(out[i], code > 0x10FFFF ? 0xFFFD : code);
    }
  }
  return tensor;
}

/// Where the header's text lies, by the format's version.
std::pair<std::size_t, std::size_t> header_range(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < 10 || std::memcmp(bytes.data(), magic, 6) != 0)
    throw ModelError("not an npy file", {name, {}, {}});
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes[i]); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) throw UnsupportedError(cat("npy version ", version), {name, {}, {}});
  const std::size_t begin = version == 1 ? 10 : 12;
  if (bytes.size() < begin) throw ModelError("npy file ends too early", {name, {}, {}});
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > max_header_bytes || length > bytes.size() - begin) {
    throw ModelError("npy header is longer than the file", {name, {}, {}});
  }
  return {begin, length};
}

}  // namespace

Tensor read_npy_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const std::string& name) {
  const auto [begin, length] = header_range(bytes, name);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + begin, length);
  const Header header = HeaderParser(text, name).parse();
  const ElementType type = element_type(header.descr, name);
  const auto data = bytes.subspan(begin + length);
  const std::int64_t count = num_elements(header.shape);
  const std::int64_t needed =
      type.dtype == DType::String ? checked_mul(count, type.text_bytes, "npy size") : storage_bytes(type.dtype, count);
  if (needed > static_cast<std::int64_t>(data.size()) || (type.dtype == DType::String && count > (1 << 24))) {
    throw ModelError(cat("npy header promises ", shape_text(header.shape), " of ", header.descr, ", ", needed,
                         " bytes, but ", data.size(), " follow"),
                     {name, {}, {}});
  }
  const auto content = data.first(static_cast<std::size_t>(needed));
  if (type.dtype == DType::String) {
    if (header.fortran_order && header.shape.size() > 1)
      throw UnsupportedError("npy text in Fortran order", {name, {}, {}});
    return read_texts(content, type, header.shape);
  }
  Tensor tensor = Tensor::view(type.dtype, header.shape, std::move(owner), content);
  if (type.swap) {
    const bool complex = type.dtype == DType::C64 || type.dtype == DType::C128;
    swap_bytes(tensor.mutable_bytes(), static_cast<std::size_t>(dtype_bits(type.dtype)) / (complex ? 16 : 8));
  }
  return header.fortran_order && header.shape.size() > 1 ? from_fortran(tensor) : tensor;
}

Tensor read_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_npy_bytes(file->bytes(), file, path.string());
}

std::string write_npy_bytes(const Tensor& tensor) {
  std::string descr;
  for (const auto& known : descr_names) {
    if (known.dtype == tensor.dtype()) descr = known.text;
  }
  if (descr.empty()) {
    throw UnsupportedError(cat("npy cannot hold elements of type ", dtype_name(tensor.dtype())), {},
                           "convert the tensor first");
  }
  const bool own_name = descr.size() > 3;
  if (!own_name) descr = cat(dtype_bits(tensor.dtype()) > 8 ? '<' : '|', descr);
  std::string shape = "(";
  for (const std::int64_t dim : tensor.shape()) shape += cat(dim, ",");
  if (tensor.rank() > 1) shape.pop_back();
  std::string header = cat("{'descr': '", descr, "', 'fortran_order': False, 'shape': ", shape, "), }");
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';

  std::string out(magic, 6);
  out += '\x01';
  out += '\0';
  out += static_cast<char>(header.size() & 0xFF);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  const auto bytes = tensor.bytes();
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return out;
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  write_file(path, write_npy_bytes(tensor));
}

}  // namespace adze
