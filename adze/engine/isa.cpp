#include "adze/engine/isa.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/engine/isa_pretended.h"

namespace adze {

namespace {

struct IsaName {
  Isa isa;
  std::string_view name;
};
constexpr std::array isa_names = {
    IsaName{Isa::Ref, "ref"},
    IsaName{Isa::Neon, "neon"},
    IsaName{Isa::NeonDot, "neondot"},
    IsaName{Isa::Avx2, "avx2"},
    IsaName{Isa::AvxVnni, "avxvnni"},
    IsaName{Isa::Avx512Vnni, "avx512vnni"},
    IsaName{Isa::Avx512Vbmi, "avx512vbmi"},
    IsaName{Isa::Avx512Bf16, "avx512bf16"},
    IsaName{Isa::Amx, "amx"},
};

#if defined(__x86_64__)

/// One bit of what the processor says of itself: not every compiler's __builtin_cpu_supports knows all names.
struct Cpuid {
  unsigned a = 0, b = 0, c = 0, d = 0;
  Cpuid(unsigned leaf, unsigned subleaf) { __get_cpuid_count(leaf, subleaf, &a, &b, &c, &d); }
};
constexpr bool bit(unsigned word, int index) {
  return (word >> index & 1) != 0;
}

/// Asks for the tile registers' state: arch_prctl ARCH_REQ_XCOMP_PERM, XTILEDATA.
AmxState ask_for_tiles() {
  constexpr long request_permission = 0x1023, tile_data = 18;
  const Cpuid features(7, 0);
  if (!bit(features.d, 22) || !bit(features.d, 24) || !bit(features.d, 25)) return {false, false, ""};
  if (syscall(SYS_arch_prctl, request_permission, tile_data) == 0) return {true, true, ""};
  return {true, false, std::strerror(errno)};
}

bool machine_has(Isa isa) {
  switch (isa) {
    case Isa::Ref:
      return true;
    case Isa::Neon:
    case Isa::NeonDot:
      return false;
    case Isa::Avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && bit(Cpuid(1, 0).c, 29);
    case Isa::AvxVnni:
      return machine_has(Isa::Avx2) && bit(Cpuid(7, 1).a, 4);
    case Isa::Avx512Vnni:
      return machine_has(Isa::Avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
    case Isa::Avx512Vbmi:
      return machine_has(Isa::Avx512Vnni) && __builtin_cpu_supports("avx512vbmi");
    case Isa::Avx512Bf16:
      return machine_has(Isa::Avx512Vnni) && bit(Cpuid(7, 1).a, 5);
    case Isa::Amx:
      return amx_state().permitted && machine_has(Isa::Avx512Vbmi) && machine_has(Isa::Avx512Bf16);
  }
  return false;
}

#elif defined(__aarch64__)

bool machine_has(Isa isa) {
  if (isa == Isa::NeonDot) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  return isa == Isa::Ref || isa == Isa::Neon;
}

#else

bool machine_has(Isa isa) {
  return isa == Isa::Ref;
}

#endif

std::vector<Isa>& known_isas() {
  static std::vector<Isa> found = [] {
    std::vector<Isa> isas;
    for (const IsaName& entry : isa_names) {
      if (machine_has(entry.isa)) isas.push_back(entry.isa);
    }
    return isas;
  }();
  return found;
}

Isa isa_from_name(std::string_view name, std::string_view origin) {
  std::vector<std::string> names;
  for (const IsaName& entry : isa_names) {
    if (name == entry.name) return entry.isa;
    names.emplace_back(entry.name);
  }
  throw UsageError(cat(origin, adze::quoted(name), " is not an instruction set that adze knows"),
                   cat("choose one of ", join(names, ", ")));
}

}  // namespace

std::string_view isa_name(Isa isa) {
  for (const IsaName& entry : isa_names) {
    if (entry.isa == isa) return entry.name;
  }
  return "";
}

std::vector<Isa> machine_isas() {
  return known_isas();
}

PretendedIsas::PretendedIsas(std::vector<Isa> isas) : before_(std::exchange(known_isas(), std::move(isas))) {}

PretendedIsas::~PretendedIsas() {
  known_isas() = std::move(before_);
}

const AmxState& amx_state() {
#if defined(__x86_64__)
  static const AmxState state = ask_for_tiles();  // once a process: threads share what it is given
#else
  static const AmxState state{false, false, ""};
#endif
  return state;
}

std::string describe(const AmxState& state) {
  if (!state.present) return "not present";
  return state.permitted ? "present, permitted" : cat("present, permission refused (", state.refusal, ")");
}

bool isa_allows(Isa cap, Isa needs) {
  const std::vector<Isa> isas = machine_isas();
  return needs <= cap && std::find(isas.begin(), isas.end(), needs) != isas.end();
}

Isa machine_isa() {
  return machine_isas().back();
}

Isa choose_isa(std::string_view cap) {
  Isa chosen = machine_isa();
  if (!cap.empty()) chosen = std::min(chosen, isa_from_name(cap, ""));
  if (const char* variable = std::getenv("ADZE_ISA"); variable != nullptr && *variable != '\0') {
    chosen = std::min(chosen, isa_from_name(variable, "ADZE_ISA="));
  }
  return chosen;
}

}  // namespace adze
