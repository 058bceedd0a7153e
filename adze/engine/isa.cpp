#include "adze/engine/isa.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

constexpr std::array all_isas = {Isa::Ref, Isa::Avx2, Isa::Avx512Vnni};

#if defined(__x86_64__)
/// Asked of the processor itself: not every compiler's __builtin_cpu_supports knows the name.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

bool machine_has(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::Ref:
      return true;
    case Isa::Avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    case Isa::Avx512Vnni:
      return machine_has(Isa::Avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
  }
#endif
  return isa == Isa::Ref;
}

Isa isa_from_name(std::string_view name, std::string_view origin) {
  std::vector<std::string> names;
  for (const Isa isa : all_isas) {
    if (name == isa_name(isa)) return isa;
    names.emplace_back(isa_name(isa));
  }
  throw UsageError(cat(origin, quoted(name), " is not an instruction set that adze knows"),
                   cat("choose one of ", join(names, ", ")));
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::Ref:
      return "ref";
    case Isa::Avx2:
      return "avx2";
    case Isa::Avx512Vnni:
      return "avx512vnni";
  }
  return "";
}

std::vector<Isa> machine_isas() {
  std::vector<Isa> found;
  for (const Isa isa : all_isas) {
    if (machine_has(isa)) found.push_back(isa);
  }
  return found;
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
