// Any bytes as a tar archive, plain and inside zstd.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "adze/base/error.h"
#include "adze/data/detail/tar.h"

namespace {

constexpr std::int64_t memory_limit = std::int64_t{64} << 20;

void read(adze::detail::ByteSource& source) {
  try {
    const auto wanted = [](std::string_view path) { return path.size() % 2 == 0; };
    adze::detail::read_tar(source, "archive", wanted, {memory_limit, 10'000});
  } catch (const adze::Error& error) {
    if (error.code() == adze::ExitCode::InternalFault) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto owner = std::make_shared<const std::vector<std::uint8_t>>(data, data + size);
  const adze::detail::SharedBytes bytes{owner, std::as_bytes(std::span(*owner))};
  read(*adze::detail::memory_source(bytes));
  read(*adze::detail::zstd_source(bytes, "archive", memory_limit));
  return 0;
}
