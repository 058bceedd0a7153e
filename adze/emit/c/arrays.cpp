#include "adze/emit/c/arrays.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::emit {

namespace {

/// Bytes that vectors may be loaded from behind the last activation.
std::int64_t read_behind(Isa isa) {
  return isa == Isa::Mve ? 15 : 0;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

}  // namespace

std::vector<std::int64_t> memory_sizes(const EmitOptions& options, Isa isa) {
  std::vector<std::int64_t> sizes;
  for (const EmitMemory& memory : options.memories) {
    const std::int64_t bytes = memory.bytes / 8 * 8 - read_behind(isa);
    if (bytes < 4) throw UsageError(cat("memory ", quoted(memory.name), " of ", memory.bytes, " bytes has no room"));
    sizes.push_back(bytes / 4 * 4);
  }
  return sizes;
}

std::vector<EmittedArray> arena_arrays(const Plan& plan, const EmitOptions& options, Isa isa) {
  const auto rounded = [&](std::int64_t bytes) { return (bytes + read_behind(isa) + 7) / 8 * 8; };
  if (plan.memory_used.empty()) return {{cat(options.name, "_arena"), "", "", 0, rounded(plan.arena_bytes)}};
  std::vector<EmittedArray> arrays;
  for (const MemoryRange& range : memory_ranges(plan, options, isa)) {
    if (range.used == 0 && plan.arena_bytes > 0) continue;
    const std::string memory = identifier(range.name);
    arrays.push_back({cat(options.name, "_arena_", memory), range.name, upper(cat(options.name, "_in_", memory)),
                      range.offset, rounded(range.used)});
  }
  return arrays;
}

std::vector<MemoryRange> memory_ranges(const Plan& plan, const EmitOptions& options, Isa isa) {
  std::vector<MemoryRange> ranges;
  const std::vector<std::int64_t> sizes = memory_sizes(options, isa);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < plan.memory_used.size(); begin += sizes[i++]) {
    ranges.push_back({options.memories[i].name, begin, sizes[i], plan.memory_used[i]});
  }
  return ranges;
}

}  // namespace adze::emit
