// Counts what a run allocates. Replaces the program's operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/zoo/zoo.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those bring an operator new of their own

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  if (counting) ++allocations;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace adze {
namespace {

int allocations_of_one_run(const Graph& graph, int threads) {
  SessionOptions options;
  options.threads = threads;
  Session session(graph, options);
  const std::vector<Tensor> inputs = random_inputs(graph, 1);
  std::vector<Tensor> outputs = session.run(inputs);
  for (int i = 0; i < 3; ++i) session.run_into(inputs, outputs);
  allocations = 0;
  counting = true;
  session.run_into(inputs, outputs);
  counting = false;
  return allocations;
}

TEST(Allocation, ARunOfOurOwnKernelsAllocatesNothing) {
  for (const char* name : {"resnet8", "dscnn", "fcae", "mobilenetv1_025_96"}) {
    for (const bool quantized : {false, true}) {
      EXPECT_EQ(allocations_of_one_run(zoo::build(name, {.quantized = quantized}), 1), 0)
          << name << (quantized ? " int8" : " fp32");
    }
  }
  for (const int threads : {1, 2}) {
    EXPECT_EQ(allocations_of_one_run(zoo::build("encoder4x256", {.quantized = true}), threads), 0) << threads;
  }
}

}  // namespace
}  // namespace adze

#endif
