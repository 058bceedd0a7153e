#include "adze/engine/peaks.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "adze/base/progress.h"
#include "adze/engine/kernels/peaks/peaks.h"
#include "adze/numerics/tensor.h"

namespace adze {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double seconds_per_figure = 0.05;

/// Seconds of the fastest of the runs that the time allows, at least three.
template <typename Run>
double fastest(Run run) {
  run();
  double best = 1e9;
  const auto begin = Clock::now();
  for (int i = 0; i < 3 || std::chrono::duration<double>(Clock::now() - begin).count() < seconds_per_figure; ++i) {
    const auto run_begin = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - run_begin).count());
  }
  return best;
}

std::int64_t cache_bytes(int name, std::int64_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

MachinePeaks::Memory measure_memory(const std::string& level, std::int64_t bytes) {
  constexpr std::int64_t alignment = 256;
  bytes = bytes / alignment * alignment;
  Tensor buffer(DType::U8, {bytes + alignment});
  void* from = buffer.mutable_bytes().data();
  auto space = static_cast<std::size_t>(bytes + alignment);
  std::align(64, static_cast<std::size_t>(bytes), from, space);
  constexpr std::int64_t enough = 1 << 20;  // bytes a timed run should touch
  const std::int64_t times = std::max<std::int64_t>(1, enough / bytes);
  const kernels::ReadLoop read = kernels::read_loop(machine_isa());
  volatile int kept = 0;
  const double reading = fastest([&] {
    for (std::int64_t i = 0; i < times; ++i) kept = read(from, bytes);
  });
  const double writing = fastest([&] {
    for (std::int64_t i = 0; i < times; ++i) {
      std::memset(from, static_cast<int>(i), static_cast<std::size_t>(bytes));
      asm volatile("" ::"r"(from) : "memory");
    }
  });
  const double moved = static_cast<double>(times * bytes);
  return {level, bytes, moved / reading, moved / writing};
}

}  // namespace

MachinePeaks measure_peaks(bool with_memory) {
  MachinePeaks result;
  for (const kernels::Peak& peak : kernels::peaks()) {
    if (!isa_allows(machine_isa(), peak.isa)) continue;
    check_cancelled();
    const double seconds = fastest([&] { peak.run(); });
    result.arithmetic.push_back(
        {peak.dtype, std::string(isa_name(peak.isa)), static_cast<double>(peak.macs) / seconds});
  }
  if (!with_memory) return result;
  const std::int64_t l1 = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  const std::int64_t l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
  const std::int64_t l3 = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 8 << 20);
  constexpr std::int64_t most = 256 << 20;
  result.memory.push_back(measure_memory("L1", l1 / 2));
  result.memory.push_back(measure_memory("L2", l2 / 2));
  result.memory.push_back(measure_memory("L3", std::min(std::max(l3 / 2, 2 * l2), 8 * l2)));
  result.memory.push_back(measure_memory("DRAM", std::min(std::max(4 * l3, 64 * l2), most)));
  return result;
}

double MachinePeaks::macs_per_second(DType dtype, Isa cap) const {
  if (dtype == DType::U8) dtype = DType::S8;
  for (const Arithmetic& peak : arithmetic) {
    for (const kernels::Peak& line : kernels::peaks()) {
      if (line.dtype == dtype && peak.dtype == dtype && isa_name(line.isa) == peak.isa && isa_allows(cap, line.isa)) {
        return peak.macs_per_second;
      }
    }
  }
  return 0;
}

double MachinePeaks::bytes_per_second(std::int64_t working_set) const {
  for (const Memory& level : memory) {
    if (working_set <= 2 * level.bytes) return level.read_per_second;
  }
  return memory.empty() ? 0 : memory.back().read_per_second;
}

}  // namespace adze
