#include "adze/encode/sparse.h"

#include <algorithm>
#include <cstring>

#include "adze/base/checked.h"
#include "adze/base/text.h"

namespace adze::encode {

namespace {

constexpr std::int64_t header_bytes = 3;  // dtype, rank, map; then 8 a dimension
constexpr std::size_t longest_run = 255;

int bits_of(DType dtype) {
  const int bits = dtype_bits(dtype);
  if (dtype == DType::String || (bits != 4 && bits % 8 != 0)) {
    throw UnsupportedError(cat("sparse storage of ", dtype_name(dtype)));
  }
  return bits;
}

/// The bits of element i, of at most 16 bytes.
struct Element {
  std::byte bytes[16] = {};
  bool zero(std::size_t width) const {
    return std::all_of(bytes, bytes + width, [](std::byte byte) { return byte == std::byte{0}; });
  }
};

Element element_at(std::span<const std::byte> bytes, int bits, std::int64_t i) {
  Element element;
  if (bits == 4) {
    element.bytes[0] = bytes[static_cast<std::size_t>(i / 2)] >> (i % 2 * 4) & std::byte{15};
  } else {
    const auto width = static_cast<std::size_t>(bits / 8);
    std::memcpy(element.bytes, &bytes[static_cast<std::size_t>(i) * width], width);
  }
  return element;
}

void put_element(std::span<std::byte> bytes, int bits, std::int64_t i, const Element& element) {
  if (bits == 4) {
    bytes[static_cast<std::size_t>(i / 2)] |= element.bytes[0] << (i % 2 * 4);
  } else {
    const auto width = static_cast<std::size_t>(bits / 8);
    std::memcpy(&bytes[static_cast<std::size_t>(i) * width], element.bytes, width);
  }
}

std::size_t width_of(int bits) {
  return static_cast<std::size_t>(std::max(1, bits / 8));
}

/// Places that are not 0, ascending.
std::vector<std::int64_t> kept_places(const Tensor& tensor) {
  const int bits = bits_of(tensor.dtype());
  const auto bytes = tensor.bytes();
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (!element_at(bytes, bits, i).zero(width_of(bits))) places.push_back(i);
  }
  return places;
}

std::vector<std::byte> runs_of(const std::vector<std::int64_t>& places) {
  std::vector<std::byte> runs;
  std::int64_t next = 0;
  for (const std::int64_t place : places) {
    auto zeros = static_cast<std::size_t>(place - next);
    for (; zeros >= longest_run; zeros -= longest_run) runs.push_back(std::byte{255});
    runs.push_back(static_cast<std::byte>(zeros));
    next = place + 1;
  }
  return runs;
}

std::vector<std::byte> bitmap_of(const std::vector<std::int64_t>& places, std::int64_t size) {
  std::vector<std::byte> map(static_cast<std::size_t>((size + 7) / 8));
  for (const std::int64_t place : places) map[static_cast<std::size_t>(place / 8)] |= std::byte{1} << (place % 8);
  return map;
}

SparseSize size_with(const Tensor& tensor, const std::vector<std::int64_t>& places) {
  const std::int64_t header = header_bytes + 8 * tensor.rank();
  const std::int64_t values = storage_bytes(tensor.dtype(), static_cast<std::int64_t>(places.size()));
  SparseSize best{ZeroMap::None, header + tensor.num_bytes()};
  const std::int64_t bitmap = header + (tensor.size() + 7) / 8 + values;
  if (bitmap < best.bytes) best = {ZeroMap::Bitmap, bitmap};
  const std::int64_t runs = header + 8 + static_cast<std::int64_t>(runs_of(places).size()) + values;
  if (runs < best.bytes) best = {ZeroMap::Runs, runs};
  return best;
}

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::byte>& out, std::int64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<std::byte>(number >> shift));
}

/// What is left of the bytes to be decoded.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> take(std::int64_t count) {
    if (count < 0 || count > static_cast<std::int64_t>(bytes_.size()))
      throw ModelError("a sparse tensor ends too early");
    const auto taken = bytes_.first(static_cast<std::size_t>(count));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  std::int64_t number() {
    std::uint64_t value = 0;
    const auto bytes = take(8);
    for (std::size_t i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return static_cast<std::int64_t>(value);
  }
  std::uint8_t byte() { return std::to_integer<std::uint8_t>(take(1)[0]); }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

std::vector<std::int64_t> read_bitmap(Reader& reader, std::int64_t size) {
  const auto map = reader.take((size + 7) / 8);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < size; ++i) {
    if (((map[static_cast<std::size_t>(i / 8)] >> (i % 8)) & std::byte{1}) != std::byte{0}) places.push_back(i);
  }
  return places;
}

std::vector<std::int64_t> read_runs(Reader& reader, std::int64_t size) {
  std::vector<std::int64_t> places;
  std::int64_t next = 0;
  for (const std::byte run : reader.take(reader.number())) {
    next += std::to_integer<std::int64_t>(run);
    if (std::to_integer<std::size_t>(run) == longest_run) continue;
    if (next >= size) throw ModelError("a sparse tensor has values behind its end");
    places.push_back(next++);
  }
  return places;
}

}  // namespace

SparseSize sparse_size(const Tensor& tensor) {
  return size_with(tensor, kept_places(tensor));
}

std::vector<std::byte> encode_sparse(const Tensor& tensor) {
  const int bits = bits_of(tensor.dtype());
  const auto places = kept_places(tensor);
  const ZeroMap map = size_with(tensor, places).map;
  std::vector<std::byte> out = {static_cast<std::byte>(tensor.dtype()), static_cast<std::byte>(tensor.rank()),
                                static_cast<std::byte>(map)};
  for (const std::int64_t dim : tensor.shape()) append_number(out, dim);
  if (map == ZeroMap::None) {
    append(out, tensor.bytes());
    return out;
  }
  if (map == ZeroMap::Bitmap) append(out, bitmap_of(places, tensor.size()));
  if (map == ZeroMap::Runs) {
    const auto runs = runs_of(places);
    append_number(out, static_cast<std::int64_t>(runs.size()));
    append(out, runs);
  }
  const auto count = static_cast<std::int64_t>(places.size());
  std::vector<std::byte> values(static_cast<std::size_t>(storage_bytes(tensor.dtype(), count)));
  for (std::int64_t i = 0; i < count; ++i) {
    put_element(values, bits, i, element_at(tensor.bytes(), bits, places[static_cast<std::size_t>(i)]));
  }
  append(out, values);
  return out;
}

Tensor decode_sparse(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  const std::uint8_t code = reader.byte();
  if (code == 0 || code >= num_dtypes)
    throw ModelError(cat("a sparse tensor of unknown dtype ", static_cast<int>(code)));
  const auto dtype = static_cast<DType>(code);
  const int bits = bits_of(dtype);
  Shape shape(reader.byte());
  const std::uint8_t map = reader.byte();
  for (std::int64_t& dim : shape) dim = reader.number();
  Tensor tensor(dtype, shape);
  if (map > static_cast<std::uint8_t>(ZeroMap::Runs)) throw ModelError("a sparse tensor with an unknown map");
  if (static_cast<ZeroMap>(map) == ZeroMap::None) {
    const auto all = reader.take(tensor.num_bytes());
    std::copy(all.begin(), all.end(), tensor.mutable_bytes().begin());
  } else {
    const auto places = static_cast<ZeroMap>(map) == ZeroMap::Bitmap ? read_bitmap(reader, tensor.size())
                                                                     : read_runs(reader, tensor.size());
    const auto values = reader.take(storage_bytes(dtype, static_cast<std::int64_t>(places.size())));
    const auto out = tensor.mutable_bytes();
    for (std::size_t i = 0; i < places.size(); ++i) {
      put_element(out, bits, places[i], element_at(values, bits, static_cast<std::int64_t>(i)));
    }
  }
  if (!reader.at_end()) throw ModelError("a sparse tensor is followed by other bytes");
  return tensor;
}

}  // namespace adze::encode
