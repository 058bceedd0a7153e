// Any bytes as a JPEG or PNG picture.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "adze/base/error.h"
#include "adze/data/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const adze::Picture picture = adze::decode_picture(std::as_bytes(std::span(data, size)), "picture", 1 << 22);
    const auto expected = static_cast<std::size_t>(picture.width * picture.height * picture.channels);
    if (picture.pixels.size() != expected) std::abort();
  } catch (const adze::Error& error) {
    if (error.code() == adze::ExitCode::InternalFault) std::abort();
  }
  return 0;
}
