#pragma once

#include <cstdint>

namespace adze::engine {

/// What a piece of work keeps beside another: each has memory of its own.
enum class Scratch : std::uint8_t {
  Step,    ///< copies and sums of the step
  Kernel,  ///< what its kernel makes of them
  Gate,    ///< products with a gate, or weights that stand for them
};

/// This thread's memory for what a step keeps while it works on one piece: aligned to 64 bytes, valid until the next
/// call. Grows on the first runs only.
void* thread_bytes(std::int64_t count, Scratch purpose = Scratch::Step);

template <typename T>
T* thread_elements(std::int64_t count, Scratch purpose = Scratch::Step) {
  return static_cast<T*>(thread_bytes(count * static_cast<std::int64_t>(sizeof(T)), purpose));
}

}  // namespace adze::engine
