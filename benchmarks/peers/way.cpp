#include "benchmarks/peers/way.h"

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/engine/isa.h"

namespace adze::peers {

namespace {

constexpr Way ways[] = {
    {"fp32", "fp32", false, "", Compute::F32, true, true},
    {"int8", "int8, instruction sets up to AVX-512 VNNI and VBMI", true, "avx512vbmi", Compute::F32, true, true},
    {"int8-amx", "int8, with AMX", true, "amx", Compute::F32, true, false},
    {"int8-avx2", "int8, adze capped to AVX2 (ONNX Runtime uses what it likes)", true, "avx2", Compute::F32, false,
     false},
    {"bf16", "bf16 compute (`--compute bf16`) against ONNX Runtime in fp32", false, "", Compute::Bf16, false, false},
};

}  // namespace

const Way& way_named(std::string_view name) {
  for (const Way& way : ways) {
    if (way.name == name) return way;
  }
  throw UsageError(cat("precision ", adze::quoted(name), " is not known"));
}

std::vector<std::string> all_ways() {
  std::vector<std::string> names;
  for (const Way& way : ways) names.emplace_back(way.name);
  return names;
}

std::vector<std::string> ways_here() {
  std::vector<std::string> names = all_ways();
  if (machine_isa() != Isa::Amx) std::erase(names, "int8-amx");
  // Without instructions for bf16 adze computes in f32 anyway.
  if (!isa_allows(choose_isa(), Isa::Avx512Bf16)) std::erase(names, "bf16");
  return names;
}

}  // namespace adze::peers
