#pragma once

#include <vector>

#include "adze/engine/isa.h"

namespace adze {

/// For tests: while it lives, machine_isas() gives these, weakest first, so that sessions choose kernels for them.
/// Nothing else may run at its begin and end.
class PretendedIsas {
 public:
  explicit PretendedIsas(std::vector<Isa> isas);
  ~PretendedIsas();
  PretendedIsas(const PretendedIsas&) = delete;
  PretendedIsas& operator=(const PretendedIsas&) = delete;

 private:
  std::vector<Isa> before_;
};

}  // namespace adze
