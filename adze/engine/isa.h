#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

/// Instruction sets that kernels are written for, weakest first.
enum class Isa : std::uint8_t {
  Ref,         ///< any machine: plain C++
  Avx2,        ///< AVX2, FMA, F16C
  Avx512Vnni,  ///< AVX-512 F, BW, VL, DQ and VNNI
};

/// "ref", "avx2", "avx512vnni": the names of kernel files and of ADZE_ISA.
std::string_view isa_name(Isa isa);
/// The best one that this processor and its operating system offer.
Isa machine_isa();
/// Those that this machine can run, weakest first.
std::vector<Isa> machine_isas();

/// The instruction set to use: cap (a name, or empty for none), further capped by the environment variable ADZE_ISA.
/// A cap above what the machine has falls to the machine's best. UsageError listing the names for an unknown one.
Isa choose_isa(std::string_view cap = {});

}  // namespace adze
