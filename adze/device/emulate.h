#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "adze/device/instruction_mix.h"

namespace adze::device {

/// A C program for a Cortex-M to run under QEMU.
struct EmulationRequest {
  std::filesystem::path folder;      ///< where the sources and their headers lie
  std::vector<std::string> sources;  ///< relative to folder; NAME_test.c does not count in the sizes
  std::string core;                  ///< one of emulated_cores()
  std::string optimize_flag = "-O2";
  bool profile = true;                           ///< define the hook below and count
  std::string profile_function = "net_profile";  ///< void f(int layer): 0 … last, then once with the number of layers
  bool use_plugin = true;                        ///< false: count by SysTick, as where QEMU takes no plug-ins
  double time_limit_seconds = 60;
  std::vector<std::string> compile_flags;  ///< more of them, as separate arguments
};

/// What the program did. Counts are executed guest instructions under emulation, never cycles.
struct Emulation {
  bool available = false;  ///< false: why_not says which tool is missing
  std::string why_not;
  int exit_code = -1;
  bool timed_out = false;
  std::string output;  ///< what the program printed
  /// How instructions were counted.
  enum class Counter : std::uint8_t {
    None,
    Plugin,   ///< each one, by class
    SysTick,  ///< by emulated time, to about 40 a layer; no classes, and layers only
  };
  Counter counter = Counter::None;
  bool counted() const { return counter != Counter::None; }
  std::int64_t instructions = 0;                 ///< of one run of all layers, or of main() when no layer was marked
  InstructionMix mix;                            ///< the same by class
  std::vector<std::int64_t> layer_instructions;  ///< of the first run, the hook's own instructions taken off
  std::vector<InstructionMix> layer_mixes;
  int runs = 0;                  ///< how many times all layers ran
  std::int64_t stack_bytes = 0;  ///< deepest use, by painting; main()'s frame included
  std::int64_t text_bytes = 0;   ///< code and constants, without vectors, start-up code and test program
  std::int64_t data_bytes = 0;   ///< initialised variables: both in flash and in RAM
  std::int64_t bss_bytes = 0;    ///< zeroed variables, the arena among them
  std::int64_t fast_bytes = 0;   ///< of those: in section .bss.fast_ram, which lies in the core's own RAM
  std::int64_t large_bytes = 0;  ///< and in .bss.large_ram, which lies in the large RAM
  std::int64_t flash_bytes() const { return text_bytes + data_bytes; }
  std::int64_t ram_bytes() const { return data_bytes + bss_bytes + stack_bytes; }
};

/// cortex-m0, -m3, -m4, -m7, -m33, -m55.
std::vector<std::string> emulated_cores();

/// The compiler's flags for a core, as separate arguments. Throws UsageError for an unknown core.
std::vector<std::string> core_flags(const std::string& core);

/// Compiles with arm-none-eabi-gcc (all warnings shown, none fatal) and runs under qemu-system-arm, in a temporary
/// folder that is removed. A missing tool is a value (available == false). Throws ModelError with the compiler's words
/// when it does not compile, UsageError for an unknown core.
Emulation emulate(const EmulationRequest& request);

}  // namespace adze::device
