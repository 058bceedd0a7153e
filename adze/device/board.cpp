#include "adze/device/board.h"

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::device {

const std::vector<Board>& boards() {
  static const std::vector<Board> all = {
      // QEMU's only Cortex-M0 has 16 KB of RAM: the Cortex-M3 board runs the same ARMv6-M instructions.
      {"cortex-m0", {"-mcpu=cortex-m0"}, {"-M", "mps2-an385"}, 40},
      {"cortex-m0plus", {"-mcpu=cortex-m0plus"}, {"-M", "mps2-an385"}, 40},
      {"cortex-m3", {"-mcpu=cortex-m3"}, {"-M", "mps2-an385"}, 40},
      {"cortex-m4", {"-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"}, {"-M", "mps2-an386"}, 40},
      {"cortex-m7", {"-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"}, {"-M", "mps2-an500"}, 40},
      {"cortex-m33", {"-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"}, {"-M", "mps2-an505"}, 50},
      {"cortex-m55", {"-mcpu=cortex-m55", "-mfloat-abi=hard", "-mfpu=auto"}, {"-M", "mps3-an547"}, 31.25},
  };
  return all;
}

const Board& board_for(const std::string& core) {
  std::vector<std::string> names;
  for (const Board& board : boards()) {
    if (board.core == core) return board;
    names.push_back(board.core);
  }
  throw UsageError(cat("core ", quoted(core), " cannot be emulated, expected one of ", join(names, ", ")));
}

}  // namespace adze::device
