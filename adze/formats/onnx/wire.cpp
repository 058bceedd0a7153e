#include "adze/formats/onnx/wire.h"

#include <bit>
#include <cstring>

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

constexpr int max_varint_bytes = 10;

template <typename T>
T little_endian(Bytes bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

std::uint64_t read_varint(Bytes bytes, std::size_t& position) {
  std::uint64_t value = 0;
  for (int i = 0; i < max_varint_bytes; ++i) {
    if (position >= bytes.size()) throw ModelError("malformed file: a number is cut off");
    const auto byte = std::to_integer<std::uint64_t>(bytes[position++]);
    value |= (byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  throw ModelError("malformed file: a number takes more than ten bytes");
}

std::int64_t count_varints(Bytes bytes) {
  std::int64_t count = 0;
  for (const std::byte byte : bytes) count += (std::to_integer<unsigned>(byte) & 0x80) == 0 ? 1 : 0;
  return count;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i < length) return false;
    std::uint32_t code = lead & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

void Field::require(WireType type) const {
  if (type_ == type) return;
  throw ModelError(cat("malformed file: field ", number_, " of ", message_, " has wire type ", static_cast<int>(type_),
                       ", expected ", static_cast<int>(type)));
}

std::int64_t Field::integer() const {
  require(WireType::Varint);
  return static_cast<std::int64_t>(value_);
}

float Field::real() const {
  require(WireType::Fixed32);
  return std::bit_cast<float>(static_cast<std::uint32_t>(value_));
}

Bytes Field::fixed_bytes() const {
  if (type_ != WireType::Fixed64) require(WireType::Fixed32);
  return std::as_bytes(std::span(&value_, 1)).first(type_ == WireType::Fixed64 ? 8 : 4);
}

Bytes Field::bytes() const {
  require(WireType::Length);
  return bytes_;
}

std::string_view Field::raw_text() const {
  const Bytes content = bytes();
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

std::string_view Field::text() const {
  const std::string_view content = raw_text();
  if (!is_utf8(content)) {
    throw ModelError(cat("malformed file: field ", number_, " of ", message_, " is not UTF-8 text"));
  }
  return content;
}

void Field::append_to(std::vector<std::int64_t>& values) const {
  if (type_ == WireType::Varint) {
    values.push_back(integer());
    return;
  }
  const Bytes packed = bytes();
  values.reserve(values.size() + static_cast<std::size_t>(count_varints(packed)));
  for (std::size_t position = 0; position < packed.size();) {
    values.push_back(static_cast<std::int64_t>(read_varint(packed, position)));
  }
}

void Field::append_to(std::vector<float>& values) const {
  if (type_ == WireType::Fixed32) {
    values.push_back(real());
    return;
  }
  const Bytes packed = bytes();
  if (packed.size() % sizeof(float) != 0) {
    throw ModelError(cat("malformed file: field ", number_, " of ", message_, " holds a part of a float"));
  }
  values.reserve(values.size() + packed.size() / sizeof(float));
  for (std::size_t i = 0; i < packed.size(); i += sizeof(float)) {
    values.push_back(little_endian<float>(packed.subspan(i)));
  }
}

void WireCursor::fail(const std::string& what) const {
  throw ModelError(cat("malformed file: ", message_, ": ", what, " at byte ", position_, " of ", bytes_.size()));
}

std::uint64_t WireCursor::varint() {
  std::uint64_t value = 0;
  for (int i = 0; i < max_varint_bytes; ++i) {
    if (position_ >= bytes_.size()) fail("cut off within a number");
    const auto byte = std::to_integer<std::uint64_t>(bytes_[position_++]);
    value |= (byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  fail("a number takes more than ten bytes");
}

Bytes WireCursor::take(std::uint64_t count) {
  const std::size_t left = bytes_.size() - position_;
  if (count > left) fail(cat("field ", field_.number_, " claims ", count, " bytes, ", left, " are left,"));
  const Bytes taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

bool WireCursor::next() {
  if (position_ == bytes_.size()) return false;
  constexpr std::uint64_t most_fields = (1u << 29) - 1;
  const std::uint64_t key = varint();
  if (key >> 3 == 0 || key >> 3 > most_fields) fail("bad field number");
  field_.number_ = static_cast<std::uint32_t>(key >> 3);
  field_.type_ = static_cast<WireType>(key & 7);
  switch (field_.type_) {
    case WireType::Varint:
      field_.value_ = varint();
      return true;
    case WireType::Fixed64:
      field_.value_ = little_endian<std::uint64_t>(take(8));
      return true;
    case WireType::Fixed32:
      field_.value_ = little_endian<std::uint32_t>(take(4));
      return true;
    case WireType::Length:
      field_.bytes_ = take(varint());
      return true;
  }
  fail(cat("bad wire type ", key & 7));
}

}  // namespace adze::onnx
