#include "adze/device/assets.h"

// The bytes of the shared object that cmake/device_assets.cmake builds beside the library.
__asm__(
    ".pushsection .rodata\n"
    ".global adze_counting_plugin_begin\n"
    ".global adze_counting_plugin_end\n"
    "adze_counting_plugin_begin:\n"
    ".incbin \"" ADZE_COUNTING_PLUGIN
    "\"\n"
    "adze_counting_plugin_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" const std::byte adze_counting_plugin_begin[];
extern "C" const std::byte adze_counting_plugin_end[];

namespace adze::device {

std::span<const std::byte> counting_plugin() {
  return {adze_counting_plugin_begin, adze_counting_plugin_end};
}

}  // namespace adze::device
