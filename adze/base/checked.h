#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include "adze/base/error.h"

namespace adze {

/// Products and sums of sizes and offsets. Untrusted dimensions are multiplied only through these.
/// Throw ModelError on overflow; the message says what was being computed.
inline std::int64_t checked_mul(std::int64_t a, std::int64_t b, const char* what = "size") {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) throw ModelError(std::string(what) + " overflows 64 bits");
  return result;
}

inline std::int64_t checked_add(std::int64_t a, std::int64_t b, const char* what = "size") {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) throw ModelError(std::string(what) + " overflows 64 bits");
  return result;
}

inline std::int64_t checked_sub(std::int64_t a, std::int64_t b, const char* what = "size") {
  std::int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) throw ModelError(std::string(what) + " overflows 64 bits");
  return result;
}

/// The value in the narrower integer type, or ModelError when it does not fit.
template <std::integral To, std::integral From>
To checked_cast(From value, const char* what = "value") {
  if (!std::in_range<To>(value)) throw ModelError(std::string(what) + " is out of range");
  return static_cast<To>(value);
}

}  // namespace adze
