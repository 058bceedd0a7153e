#pragma once

// Internal to device: what the counting plug-in wrote, as layers.

#include <string>
#include <vector>

#include "adze/device/instruction_mix.h"

namespace adze::device {

/// Counts between the marks of a program (plugin/count.c).
struct Marks {
  std::vector<InstructionMix> layers;  ///< of the first run, without the hook's own instructions
  InstructionMix main;                 ///< from main()'s call to its return; zero when it did not return
  int runs = 0;
};

/// Throws ModelError when the text is not what the plug-in writes.
Marks parse_marks(const std::string& text);

}  // namespace adze::device
