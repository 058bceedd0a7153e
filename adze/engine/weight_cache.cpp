#include "adze/engine/weight_cache.h"

#include <sys/stat.h>

#include <algorithm>

#include "adze/base/hash.h"
#include "adze/base/memory.h"
#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/engine/graph_codec.h"

namespace adze::engine {

namespace {

constexpr std::int64_t alignment = 64;
/// With this, files of an adze that packed differently are not taken.
constexpr std::string_view scheme = "adze packed weights 1\n";

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string key_of(NodeId node, const std::string& what) {
  return cat(static_cast<std::int64_t>(node), " ", what);
}

/// The head of the file: lines "key<TAB>offset<TAB>bytes", behind the scheme, the fingerprint, the head's own size and
/// its CRC-32. Blobs follow, each at a multiple of 64 bytes.
std::string head_text(const std::string& fingerprint, const std::string& table) {
  return cat(scheme, fingerprint, "\n", table.size(), " ", crc32(bytes_of(table)), "\n", table);
}

/// Takes the text up to the mark from the front; nothing when there is no mark.
std::optional<std::string_view> take(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::optional<std::int64_t> take_number(std::string_view& text, char mark) {
  const auto digits = take(text, mark);
  if (!digits || digits->empty() || digits->size() > 15) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : *digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = 10 * number + (digit - '0');
  }
  return number;
}

/// The table of a file for this fingerprint; nothing for any other or a damaged one.
std::optional<std::string_view> table_of(std::string_view file, const std::string& fingerprint) {
  if (!file.starts_with(scheme)) return std::nullopt;
  file.remove_prefix(scheme.size());
  if (take(file, '\n') != fingerprint) return std::nullopt;
  const auto size = take_number(file, ' '), crc = take_number(file, '\n');
  if (!size || !crc || static_cast<std::size_t>(*size) > file.size()) return std::nullopt;
  const std::string_view table = file.substr(0, static_cast<std::size_t>(*size));
  if (crc32(bytes_of(table)) != *crc) return std::nullopt;
  return table;
}

}  // namespace

std::string weight_fingerprint(const Graph& graph, const std::string& settings) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.update(bytes_of(text)); };
  add(cat(scheme, version(), "\n", settings, "\n"));
  ByteWriter structure;
  encode_graph(structure, graph, [](ByteWriter&, const Tensor&) {});
  add(structure.bytes());
  if (struct stat info{}; !graph.source_file.empty() && ::stat(graph.source_file.c_str(), &info) == 0) {
    add(cat(info.st_size, " ", info.st_mtim.tv_sec, " ", info.st_mtim.tv_nsec, "\n"));
  }
  for (std::int64_t i = 0; i < graph.num_values(); ++i) {
    const Tensor* tensor = graph.constant(static_cast<ValueId>(i));
    if (tensor == nullptr || tensor->dtype() == DType::String) continue;
    const auto bytes = tensor->bytes();
    const auto end = std::min<std::size_t>(bytes.size(), alignment);
    hash.update(bytes.first(end));
    hash.update(bytes.last(end));
  }
  return hash.finish_hex();
}

std::shared_ptr<const WeightFile> WeightFile::open(const std::filesystem::path& path, const std::string& fingerprint) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return nullptr;
  auto result = std::make_shared<WeightFile>();
  result->file_ = MappedFile::open(path);
  const auto bytes = result->file_->bytes();
  const auto table = table_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, fingerprint);
  if (!table) return nullptr;
  for (std::string_view rest = *table; !rest.empty();) {
    const auto key = take(rest, '\t');
    const auto offset = take_number(rest, '\t'), size = take_number(rest, '\n');
    if (!key || !offset || !size || *offset % alignment != 0) return nullptr;
    if (static_cast<std::size_t>(*offset + *size) > bytes.size()) return nullptr;
    result->entries_[std::string(*key)] =
        bytes.subspan(static_cast<std::size_t>(*offset), static_cast<std::size_t>(*size));
  }
  return result;
}

std::span<const std::byte> WeightFile::find(const std::string& key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? std::span<const std::byte>{} : entry->second;
}

std::span<const std::byte> WeightCache::packed(NodeId node, const std::string& what, std::int64_t bytes,
                                               const std::function<void(std::span<std::byte>)>& fill) {
  const std::string key = key_of(node, what);
  const auto known = packed_.find(key);
  if (known != packed_.end()) return known->second.bytes;
  Packed& made = packed_[key];
  bytes_ += bytes;
  if (file_ != nullptr) made.bytes = file_->find(key);
  if (static_cast<std::int64_t>(made.bytes.size()) == bytes) return made.bytes;
  const auto size = static_cast<std::size_t>(std::max(aligned(bytes), alignment));
  made.owned = allocate_zeroed(size);
  std::byte* memory = made.owned.get();
  fill({memory, static_cast<std::size_t>(bytes)});
  made.bytes = {memory, static_cast<std::size_t>(bytes)};
  has_new_ = true;
  return made.bytes;
}

const std::byte* WeightCache::resident(NodeId node, std::size_t operand, std::span<const std::byte> constant) {
  constexpr std::size_t small = 1 << 16;
  if (node == NodeId::None || constant.size() > small || !MappedFile::locate(constant)) return constant.data();
  using Bytes = std::vector<std::byte>;
  const auto kept = get<Bytes>(node, cat("constant ", operand), [&] {
    Bytes copy(constant.size() + alignment);  // kernels may read a little beyond the end
    std::copy(constant.begin(), constant.end(), copy.begin());
    return copy;
  });
  return kept->data();
}

void WeightCache::save(const std::filesystem::path& path, const std::string& fingerprint,
                       const std::map<std::string, std::string>& more) const {
  std::vector<std::pair<std::string_view, std::span<const std::byte>>> pieces;
  for (const auto& [key, text] : more) pieces.emplace_back(key, bytes_of(text));
  for (const auto& [key, entry] : packed_) pieces.emplace_back(key, entry.bytes);
  // Offsets depend on the head's length, which depends on the offsets' digits: leave room for the longest.
  std::size_t room = scheme.size() + fingerprint.size() + 64;
  constexpr std::size_t longest_numbers = 34;
  for (const auto& [key, bytes] : pieces) room += key.size() + longest_numbers;
  std::string table;
  std::int64_t offset = aligned(static_cast<std::int64_t>(room));
  const std::int64_t first = offset;
  for (const auto& [key, bytes] : pieces) {
    table += cat(key, "\t", offset, "\t", bytes.size(), "\n");
    offset += aligned(static_cast<std::int64_t>(bytes.size()));
  }
  AtomicFileWriter writer(path);
  const auto pad_to = [&](std::int64_t place) {
    writer.write(std::string(static_cast<std::size_t>(place - writer.bytes_written()), '\0'));
  };
  writer.write(head_text(fingerprint, table));
  pad_to(first);
  for (const auto& [key, bytes] : pieces) {
    writer.write(bytes);
    pad_to(aligned(writer.bytes_written()));
  }
  writer.commit();
}

}  // namespace adze::engine
