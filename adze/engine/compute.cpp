#include "adze/engine/compute.h"

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

std::string_view compute_name(Compute compute) {
  return compute == Compute::Bf16 ? "bf16" : "f32";
}

Compute compute_from_name(std::string_view name) {
  for (const Compute compute : {Compute::F32, Compute::Bf16}) {
    if (name == compute_name(compute)) return compute;
  }
  throw UsageError(cat(adze::quoted(name), " is not a number format that adze computes in"), "choose f32 or bf16");
}

}  // namespace adze
