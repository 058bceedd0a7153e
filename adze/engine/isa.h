#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

/// Instruction sets that kernels are written for, weakest first.
/// A cap allows those up to it that the machine has: x86 processors with AVX-512 VNNI may lack AVX-VNNI.
enum class Isa : std::uint8_t {
  Ref,         ///< any machine: plain C++
  Neon,        ///< 64-bit Arm: Advanced SIMD
  NeonDot,     ///< with the 8-bit dot product (SDOT, UDOT)
  Avx2,        ///< AVX2, FMA, F16C
  AvxVnni,     ///< and VNNI on 256-bit registers
  Avx512Vnni,  ///< AVX-512 F, BW, VL, DQ and VNNI
  Avx512Vbmi,  ///< and VBMI: permutations of bytes
  Avx512Bf16,  ///< AVX-512 VNNI and products of bf16 numbers; VBMI may lack
  Amx,         ///< and AMX tiles, int8 and bf16, that the operating system lets this process use
};

/// "ref", "neon", "neondot", "avx2", "avxvnni", "avx512vnni", "avx512vbmi", "avx512bf16", "amx": the names of kernel
/// files and of ADZE_ISA.
std::string_view isa_name(Isa isa);
/// May a kernel written for `needs` run here under the cap?
bool isa_allows(Isa cap, Isa needs);
/// The best one that this processor and its operating system offer.
Isa machine_isa();
/// Those that this machine can run, weakest first.
std::vector<Isa> machine_isas();

/// AMX's tiles need more than the processor: Linux gives their state only to a process that asks.
struct AmxState {
  bool present;         ///< in the processor, with products of int8 and of bf16
  bool permitted;       ///< by the operating system
  std::string refusal;  ///< its reason
};
const AmxState& amx_state();
/// "not present", "present, permission refused (Operation not supported)", "present, permitted".
std::string describe(const AmxState& state);

/// The instruction set to use: cap (a name, or empty for none), further capped by the environment variable ADZE_ISA.
/// A cap above what the machine has falls to the machine's best. UsageError listing the names for an unknown one.
Isa choose_isa(std::string_view cap = {});

}  // namespace adze
