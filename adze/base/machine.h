#pragma once

#include <string>
#include <vector>

namespace adze {

/// What figures depend on: recorded with every measurement.
struct Machine {
  std::string cpu;           ///< model name as the system gives it
  int cores = 1;             ///< that this process may use
  std::string architecture;  ///< "x86_64", "aarch64"
  std::string system;        ///< kernel name and release
  std::vector<std::string>
      isa;  ///< instruction sets that adze has kernels for or reports: "avx2", "avx512vnni", "amx_int8" …
};

const Machine& this_machine();

/// Peak resident memory of this process so far.
long long peak_memory_bytes();

}  // namespace adze
