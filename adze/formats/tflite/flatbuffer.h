#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::tflite {

static_assert(std::endian::native == std::endian::little, "FlatBuffers are read in place, little-endian");

/// FlatBuffers wire data, read in place. Every offset is checked before it is followed, whatever its alignment, so no
/// verifier pass is needed; nothing here recurses, so depth is what the caller's own code walks.
/// Throws ModelError on an offset, size or vtable that leaves the data.
/// Source  https://flatbuffers.dev/internals
class WireData {
 public:
  explicit WireData(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  /// The bytes [offset, offset + count).
  std::span<const std::byte> slice(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset) {
      throw ModelError(cat("damaged file: ", count, " bytes at offset ", offset, " leave the file of ", bytes_.size()));
    }
    return bytes_.subspan(offset, count);
  }
  template <typename T>
  T read(std::uint64_t offset) const {
    T value;
    std::memcpy(&value, slice(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
};

/// A vector of scalars (bool and enumerations included), unaligned.
template <typename T>
class ScalarVector {
 public:
  ScalarVector() = default;
  explicit ScalarVector(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t size() const { return bytes_.size() / sizeof(T); }
  bool empty() const { return bytes_.empty(); }
  T operator[](std::size_t i) const {
    T value;
    std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof(T));
    return value;
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

class Table;

/// A vector of tables.
class TableVector {
 public:
  TableVector() = default;
  TableVector(WireData data, std::uint64_t first, std::size_t count) : data_(data), first_(first), count_(count) {}
  std::size_t size() const { return count_; }
  Table operator[](std::size_t i) const;

 private:
  WireData data_{{}};
  std::uint64_t first_ = 0;
  std::size_t count_ = 0;
};

/// A table: its fields by their number in the schema; absent ones give the default.
class Table {
 public:
  /// The table at offset. Checks its vtable.
  Table(WireData data, std::uint64_t offset);
  /// The root table, after checking the file identifier ("TFL3") at bytes 4 … 8.
  static Table root(WireData data, std::string_view identifier);

  template <typename T>
  T scalar(int field, T otherwise = T{}) const {
    const std::uint64_t place = place_of(field, sizeof(T));
    if (place == 0) return otherwise;
    if constexpr (std::is_same_v<T, bool>)
      return data_.read<std::uint8_t>(place) != 0;
    else
      return data_.read<T>(place);
  }
  std::optional<Table> table(int field) const;
  std::string_view string(int field) const;
  template <typename T>
  ScalarVector<T> vector(int field) const {
    return ScalarVector<T>(vector_bytes(field, sizeof(T)));
  }
  TableVector tables(int field) const;

 private:
  /// Where the field of this size is stored, or 0 when absent.
  std::uint64_t place_of(int field, std::size_t size) const;
  /// Follows the offset stored in the field; 0 when absent.
  std::uint64_t target_of(int field) const;
  std::span<const std::byte> vector_bytes(int field, std::size_t element_size) const;

  WireData data_;
  std::uint64_t offset_ = 0;
  std::uint64_t vtable_ = 0;
  std::uint16_t vtable_size_ = 0;
  std::uint16_t inline_size_ = 0;
};

inline Table TableVector::operator[](std::size_t i) const {
  const std::uint64_t place = first_ + 4 * i;
  return Table(data_, place + data_.read<std::uint32_t>(place));
}

}  // namespace adze::tflite
