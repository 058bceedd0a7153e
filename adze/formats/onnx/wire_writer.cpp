#include "adze/formats/onnx/wire_writer.h"

#include <bit>
#include <cstring>

namespace adze::onnx {

namespace {

constexpr unsigned varint_type = 0, length_type = 2, fixed32_type = 5;

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

}  // namespace

void WireMessage::append(std::string_view text) {
  if (pieces_.empty() || pieces_.back().tensor) pieces_.emplace_back();
  pieces_.back().text += text;
  size_ += static_cast<std::int64_t>(text.size());
}

void WireMessage::append_varint(std::uint64_t value) {
  std::string text;
  put_varint(text, value);
  append(text);
}

void WireMessage::add_key(std::uint32_t field, unsigned wire_type) {
  append_varint(std::uint64_t{field} << 3 | wire_type);
}

void WireMessage::add_integer(std::uint32_t field, std::int64_t value) {
  add_key(field, varint_type);
  append_varint(static_cast<std::uint64_t>(value));
}

void WireMessage::add_float(std::uint32_t field, float value) {
  static_assert(std::endian::native == std::endian::little);
  add_key(field, fixed32_type);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  append({bytes, sizeof bytes});
}

void WireMessage::add_text(std::uint32_t field, std::string_view text) {
  add_key(field, length_type);
  append_varint(text.size());
  append(text);
}

void WireMessage::add_packed(std::uint32_t field, const std::vector<std::int64_t>& values) {
  std::string packed;
  for (const std::int64_t value : values) put_varint(packed, static_cast<std::uint64_t>(value));
  add_text(field, packed);
}

void WireMessage::add_tensor_bytes(std::uint32_t field, const Tensor& tensor) {
  constexpr std::size_t copied_bytes = 64;  // smaller than what a piece of its own would take
  const auto bytes = tensor.bytes();
  if (bytes.size() <= copied_bytes) {
    add_text(field, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return;
  }
  add_key(field, length_type);
  append_varint(bytes.size());
  pieces_.push_back({"", tensor});
  size_ += static_cast<std::int64_t>(bytes.size());
}

void WireMessage::add_message(std::uint32_t field, WireMessage message) {
  add_key(field, length_type);
  append_varint(static_cast<std::uint64_t>(message.size_));
  for (Piece& piece : message.pieces_) {
    if (piece.tensor) {
      size_ += static_cast<std::int64_t>(piece.tensor->bytes().size());
      pieces_.push_back(std::move(piece));
    } else {
      append(piece.text);
    }
  }
}

std::string WireMessage::bytes() const {
  std::string out;
  out.reserve(static_cast<std::size_t>(size_));
  for_each_piece([&](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace adze::onnx
