#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/base/error.h"

namespace adze::onnx {

/// A piece of a file that somebody else keeps alive.
using Bytes = std::span<const std::byte>;

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5 };

/// One field of a protobuf message: its number and payload. Nothing is copied; accessors throw ModelError when the
/// wire type is not the one asked for.
class Field {
 public:
  std::uint32_t number() const { return number_; }
  WireType type() const { return type_; }

  std::int64_t integer() const;       ///< int32, int64, enum, uint64 (as its bits)
  float real() const;                 ///< float
  Bytes bytes() const;                ///< bytes, strings, messages
  Bytes fixed_bytes() const;          ///< the four or eight bytes of a fixed-width number; valid while the Field is
  std::string_view raw_text() const;  ///< bytes() as characters
  /// raw_text() that must be valid UTF-8, as protobuf demands of strings.
  std::string_view text() const;
  /// Appends the elements of a repeated integer field, packed or not.
  void append_to(std::vector<std::int64_t>& values) const;
  /// Appends the elements of a repeated float field, packed or not.
  void append_to(std::vector<float>& values) const;

 private:
  friend class WireCursor;
  void require(WireType type) const;

  const char* message_ = "";
  std::uint32_t number_ = 0;
  WireType type_ = WireType::Varint;
  std::uint64_t value_ = 0;
  Bytes bytes_;
};

/// Walks over the fields of one protobuf message: zero-copy, every length checked against what is left.
///
///   for (WireCursor cursor(bytes, "NodeProto"); cursor.next();) switch (cursor.field().number()) { … }
///
/// Throws ModelError for truncated or malformed data. Groups (never used by ONNX) are refused.
class WireCursor {
 public:
  /// message names the kind of message in errors.
  WireCursor(Bytes bytes, const char* message) : bytes_(bytes), message_(message) { field_.message_ = message; }
  /// Moves to the next field; false at the end.
  bool next();
  const Field& field() const { return field_; }

 private:
  std::uint64_t varint();
  Bytes take(std::uint64_t count);
  [[noreturn]] void fail(const std::string& what) const;

  Bytes bytes_;
  std::size_t position_ = 0;
  const char* message_;
  Field field_;
};

/// Reads one varint at position and moves behind it. Throws ModelError when it is cut off or longer than ten bytes.
std::uint64_t read_varint(Bytes bytes, std::size_t& position);
/// How many varints the bytes hold: those without continuation bit.
std::int64_t count_varints(Bytes bytes);
bool is_utf8(std::string_view text);

}  // namespace adze::onnx
