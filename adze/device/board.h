#pragma once

#include <string>
#include <vector>

namespace adze::device {

/// How code for a core is compiled and which QEMU machine runs it.
struct Board {
  std::string core;                        ///< "cortex-m4"; its linker script is boards/<core>/memory.ld
  std::vector<std::string> compile_flags;  ///< of the core alone
  std::vector<std::string> machine;        ///< QEMU's options
  double instructions_per_tick;            ///< of SysTick with -icount shift=0: 1e9 over its clock
};

const std::vector<Board>& boards();

/// Throws UsageError naming the known cores.
const Board& board_for(const std::string& core);

}  // namespace adze::device
