#include "adze/engine/steps/scratch.h"

#include <cstddef>
#include <memory>
#include <new>

namespace adze::engine {

namespace {

constexpr std::align_val_t alignment{64};

struct Free {
  void operator()(std::byte* memory) const { ::operator delete(memory, alignment); }
};

}  // namespace

void* thread_bytes(std::int64_t count, Scratch purpose) {
  struct Memory {
    std::unique_ptr<std::byte, Free> bytes;
    std::int64_t size = 0;
  };
  static thread_local Memory memories[3];
  Memory& memory = memories[static_cast<std::size_t>(purpose)];
  if (memory.size < count) {
    memory.bytes.reset();
    memory.size = 0;
    memory.bytes.reset(static_cast<std::byte*>(::operator new(static_cast<std::size_t>(count), alignment)));
    memory.size = count;
  }
  return memory.bytes.get();
}

}  // namespace adze::engine
