#pragma once

#include <cstdint>

namespace adze::engine {

/// This thread's memory for what a step keeps while it works on one piece: aligned to 64 bytes, valid until the next
/// call. Grows on the first runs only.
void* thread_bytes(std::int64_t count);

template <typename T>
T* thread_elements(std::int64_t count) {
  return static_cast<T*>(thread_bytes(count * static_cast<std::int64_t>(sizeof(T))));
}

}  // namespace adze::engine
