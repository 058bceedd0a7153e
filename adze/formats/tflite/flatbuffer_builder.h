#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace adze::tflite {

/// Something that a FlatBuffers offset points at: a table, a vector of scalars, a string, or a vector of tables.
struct FlatObject;
using FlatPointer = std::shared_ptr<FlatObject>;

/// A scalar field of a table: its little-endian bytes.
using FlatScalar = std::string;

struct FlatObject {
  enum class Kind : std::uint8_t { Table, Scalars, Text, Tables };

  Kind kind = Kind::Table;
  std::map<int, std::variant<FlatScalar, FlatPointer>> fields;  ///< Table: by field number
  std::string own;                                              ///< Scalars and Text: the elements
  std::span<const std::byte> borrowed;                          ///< Scalars: the elements, when they are elsewhere
  std::size_t width = 1;                                        ///< Scalars: bytes of an element
  std::size_t alignment = 4;                                    ///< Scalars: of the first element
  std::vector<FlatPointer> items;                               ///< Tables

  template <typename T>
  void scalar(int field, T value) {
    fields[field] = FlatScalar(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void object(int field, FlatPointer value) { fields[field] = std::move(value); }
};

FlatPointer flat_table();
FlatPointer flat_text(std::string_view text);
FlatPointer flat_tables(std::vector<FlatPointer> items);
/// A vector over bytes that stay where they are until the buffer is built.
FlatPointer flat_bytes(std::span<const std::byte> bytes, std::size_t alignment);

template <typename T>
FlatPointer flat_scalars(const std::vector<T>& values) {
  auto object = std::make_shared<FlatObject>();
  object->kind = FlatObject::Kind::Scalars;
  object->own.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(object->own.data(), values.data(), object->own.size());
  object->width = sizeof(T);
  object->alignment = sizeof(T) < 4 ? 4 : sizeof(T);
  return object;
}

/// The finished buffer: root offset, file identifier, then the objects from the root down, every scalar aligned to its
/// size. Throws LimitError beyond 2 GiB, which is as far as offsets reach.
/// Source  https://flatbuffers.dev/internals
std::string build_flatbuffer(const FlatObject& root, std::string_view identifier);

}  // namespace adze::tflite
