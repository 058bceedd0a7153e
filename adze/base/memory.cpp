#include "adze/base/memory.h"

#include <features.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>
#include <string_view>

namespace adze {

namespace {

/// A field of /proc/self/status, given there in KiB.
std::int64_t status_bytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::strtoll(line.c_str() + field.size() + 1, nullptr, 10) * 1024;
  }
  return 0;
}

/// Loads what is mapped from files to be executed, and the read-only data beside it.
void load_program() {
#ifdef MADV_POPULATE_READ
  std::ifstream maps("/proc/self/maps");
  std::string program;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, inode = 0;
    char flags[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s %*s %*s %lu", &begin, &end, flags, &inode) != 4 || inode == 0) continue;
    const bool is_program = std::string_view(flags) == "r-xp" || line.find(program) != std::string::npos;
    if (program.empty()) program = line.substr(line.find('/'));
    if (is_program && flags[1] == '-') ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
  }
#endif
}

}  // namespace

PeakMemory::PeakMemory() {
  load_program();
  if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w"); file != nullptr) {
    std::fputs("5", file);  // the peak starts from now
    std::fclose(file);
  }
  before_ = status_bytes("VmRSS");
}

std::int64_t PeakMemory::growth() const {
  return std::max<std::int64_t>(0, status_bytes("VmHWM") - before_);
}

std::shared_ptr<std::byte> allocate_zeroed(std::size_t bytes) {
  constexpr std::size_t large_page = std::size_t{2} << 20, alignment = 64;
  if (bytes < large_page) {
    // Not new and memset: what comes from the system is zero already.
    void* block = std::calloc(bytes + alignment, 1);
    if (block == nullptr) throw std::bad_alloc();
    std::size_t space = bytes + alignment;
    void* place = block;
    auto* memory = static_cast<std::byte*>(std::align(alignment, bytes, place, space));
    return {memory, [block](std::byte*) { std::free(block); }};
  }
  const std::size_t reserved = bytes + large_page;
  void* block = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  const std::size_t skipped = (large_page - reinterpret_cast<std::uintptr_t>(block) % large_page) % large_page;
  std::byte* memory = static_cast<std::byte*>(block) + skipped;
#ifdef MADV_HUGEPAGE
  ::madvise(memory, bytes / large_page * large_page, MADV_HUGEPAGE);  // the rest stays small: no more than asked for
#endif
  return {memory, [block, reserved](std::byte*) { ::munmap(block, reserved); }};
}

void trim_heap() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace adze
