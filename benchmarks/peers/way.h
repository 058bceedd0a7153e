#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adze/engine/compute.h"

namespace adze::peers {

/// One way in which adze runs a network: a form of the model and what of the machine may be used.
struct Way {
  std::string_view name;   ///< "fp32", "int8", "int8-avx2", "int8-amx", "bf16"
  std::string_view title;  ///< of its table
  bool quantized;          ///< the model is int8 QDQ
  std::string_view isa;    ///< highest instruction set; empty: all
  Compute compute;
  bool more_threads;  ///< measured with more than one thread too
  bool starts;        ///< creation and memory are measured in it
};

/// Throws UsageError for an unknown name.
const Way& way_named(std::string_view name);
/// Those that tell something on this machine.
std::vector<std::string> ways_here();
std::vector<std::string> all_ways();

}  // namespace adze::peers
