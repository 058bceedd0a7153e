#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace adze {

/// Elements read one by one from wherever they are, aligned or not: weights inside a mapped model file, without a copy.
template <typename T>
class Elements {
 public:
  Elements() = default;
  explicit Elements(const std::byte* first) : first_(first) {}
  Elements(const T* first)  // NOLINT(google-explicit-constructor): any array is one
      : first_(reinterpret_cast<const std::byte*>(first)) {}

  T operator[](std::int64_t i) const {
    T value;
    std::memcpy(&value, first_ + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  Elements operator+(std::int64_t count) const {
    return Elements(first_ + count * static_cast<std::int64_t>(sizeof(T)));
  }

 private:
  const std::byte* first_ = nullptr;
};

}  // namespace adze
