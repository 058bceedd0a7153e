#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace adze::detail {

/// Bytes and who keeps them alive.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

/// A stream of bytes that is read once from front to back.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next count bytes, or fewer at the end. Memory grows only with what is really there.
  virtual SharedBytes take(std::int64_t count) = 0;
  /// Passes over count bytes; returns how many there were.
  virtual std::int64_t skip(std::int64_t count) = 0;
};

/// A source over bytes in memory, without copying.
std::unique_ptr<ByteSource> memory_source(SharedBytes bytes);
/// A source that unpacks Zstandard frames. name is for messages. Unpacks at most max_bytes in all (LimitError), with a
/// window of at most 128 MiB; throws ModelError on damaged or truncated data.
std::unique_ptr<ByteSource> zstd_source(SharedBytes packed, std::string name, std::int64_t max_bytes);

bool looks_like_zstd(std::span<const std::byte> bytes);

}  // namespace adze::detail
