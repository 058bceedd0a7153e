#pragma once

#include <csignal>
#include <cstdint>

#include "tests/kernels/tile_memory.h"

namespace adze::kernel_test {

/// While it lives, AMX instructions that the processor does not know (SIGILL) are decoded and done in plain C++: the
/// kernels' machine code runs as it is. Where the processor knows them it runs them itself, and count() stays 0.
/// For one thread.
class TrappedAmx {
 public:
  TrappedAmx();
  ~TrappedAmx();
  TrappedAmx(const TrappedAmx&) = delete;
  TrappedAmx& operator=(const TrappedAmx&) = delete;

  /// Instructions done so far, and those of them that multiply.
  static std::int64_t count();
  static std::int64_t products();

 private:
  struct sigaction before_;
};

}  // namespace adze::kernel_test
