#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adze/base/files.h"
#include "adze/graph/graph.h"

namespace adze::engine {

/// What packed weights depend on, as 64 hexadecimal digits: the graph's structure and attributes, dtypes, shapes and
/// the ends of its constants, the model file's size and time of change, the instruction set and other settings, the
/// version of adze. Constants are not read whole, so that a large model opens at once: do not change weights in place
/// behind its back.
std::string weight_fingerprint(const Graph& graph, const std::string& settings);

/// Packed weights of one model on one instruction set, mapped from the file that an earlier session wrote.
class WeightFile {
 public:
  /// Null when there is no such file, or it was written for another fingerprint, or it is damaged: then it is made
  /// anew.
  static std::shared_ptr<const WeightFile> open(const std::filesystem::path& path, const std::string& fingerprint);

  /// The bytes kept under the key; empty when there are none.
  std::span<const std::byte> find(const std::string& key) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, std::span<const std::byte>, std::less<>> entries_;
};

/// Weights in the form that kernels read, shared by all plans of a session. Keys: the node in the session's graph, and
/// what is kept.
class WeightCache {
 public:
  /// Takes packed bytes from the file when it has them.
  void use(std::shared_ptr<const WeightFile> file) { file_ = std::move(file); }

  /// Bytes at an address that is a multiple of 64, which fill writes once for the key.
  std::span<const std::byte> packed(NodeId node, const std::string& what, std::int64_t bytes,
                                    const std::function<void(std::span<std::byte>)>& fill);
  template <typename T>
  std::span<const T> packed_as(NodeId node, const std::string& what, std::int64_t count,
                               const std::function<void(std::span<T>)>& fill) {
    const auto bytes = packed(node, what, count * static_cast<std::int64_t>(sizeof(T)), [&](std::span<std::byte> to) {
      fill({reinterpret_cast<T*>(to.data()), to.size() / sizeof(T)});
    });
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  /// Anything else that plans share. Not kept in files: packed bytes are.
  template <typename T>
  std::shared_ptr<const T> get(NodeId node, const std::string& what, const std::function<T()>& make) {
    std::shared_ptr<const void>& slot = kept_[{node, what}];
    if (!slot) slot = std::make_shared<const T>(make());
    return std::static_pointer_cast<const T>(slot);
  }
  /// A constant operand where runs may read it: small ones that lie in a mapped file are copied, as a touch of one page
  /// may bring megabytes of the file into memory.
  const std::byte* resident(NodeId node, std::size_t operand, std::span<const std::byte> constant);
  void count_bytes(std::int64_t bytes) { bytes_ += bytes; }
  std::int64_t bytes() const { return bytes_; }

  /// Was anything packed that the file did not have?
  bool has_new() const { return has_new_; }
  /// Writes all packed bytes, and more pieces under keys of their own, whole or not at all. Throws ModelError when the
  /// file cannot be written.
  void save(const std::filesystem::path& path, const std::string& fingerprint,
            const std::map<std::string, std::string>& more = {}) const;

 private:
  struct Packed {
    std::shared_ptr<std::byte> owned;  ///< null: in the file
    std::span<const std::byte> bytes;
  };
  std::shared_ptr<const WeightFile> file_;
  std::map<std::string, Packed> packed_;
  std::map<std::pair<NodeId, std::string>, std::shared_ptr<const void>> kept_;
  std::int64_t bytes_ = 0;
  bool has_new_ = false;
};

}  // namespace adze::engine
