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

void* thread_bytes(std::int64_t count) {
  static thread_local std::unique_ptr<std::byte, Free> memory;
  static thread_local std::int64_t size = 0;
  if (size < count) {
    memory.reset();
    size = 0;
    memory.reset(static_cast<std::byte*>(::operator new(static_cast<std::size_t>(count), alignment)));
    size = count;
  }
  return memory.get();
}

}  // namespace adze::engine
