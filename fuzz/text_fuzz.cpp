// Any bytes as a graph in text form; what is accepted must print and parse back to the same text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "adze/base/error.h"
#include "adze/graph/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string once = adze::print_graph(adze::parse_graph({reinterpret_cast<const char*>(data), size}));
    if (adze::print_graph(adze::parse_graph(once)) != once) std::abort();
  } catch (const adze::Error& error) {
    if (error.code() == adze::ExitCode::InternalFault) std::abort();
  }
  return 0;
}
