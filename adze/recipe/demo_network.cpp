#include "adze/recipe/demo_network.h"

extern "C" const std::byte adze_demo_network_begin[];
extern "C" const std::byte adze_demo_network_end[];

namespace adze {

std::span<const std::byte> demo_network() {
  return {adze_demo_network_begin, adze_demo_network_end};
}

}  // namespace adze
