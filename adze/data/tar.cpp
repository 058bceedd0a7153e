#include "adze/data/detail/tar.h"

#include <charconv>
#include <optional>

#include "adze/base/checked.h"
#include "adze/base/progress.h"
#include "adze/base/text.h"

namespace adze::detail {

namespace {

constexpr std::int64_t block_bytes = 512;
constexpr std::int64_t max_name_bytes = 1 << 16;

using Block = std::span<const std::byte>;

std::string field_text(Block block, std::size_t offset, std::size_t length) {
  const char* text = reinterpret_cast<const char*>(block.data()) + offset;
  std::size_t end = 0;
  while (end < length && text[end] != '\0') ++end;
  return {text, end};
}

/// A number in octal text, or in GNU's big-endian binary form. Nothing when malformed.
std::optional<std::int64_t> field_number(Block block, std::size_t offset, std::size_t length) {
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(block[offset + i]); };
  std::int64_t value = 0;
  if ((byte(0) & 0x80U) != 0) {
    for (std::size_t i = 1; i < length; ++i) {
      if (value > (std::int64_t{1} << 52)) return std::nullopt;
      value = value * 256 + byte(i);
    }
    return value;
  }
  std::size_t i = 0;
  while (i < length && byte(i) == ' ') ++i;
  for (; i < length && byte(i) != ' ' && byte(i) != 0; ++i) {
    if (byte(i) < '0' || byte(i) > '7') return std::nullopt;
    value = value * 8 + (byte(i) - '0');
  }
  return value;
}

bool checksum_holds(Block block) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : std::to_integer<int>(block[i]);
  return field_number(block, 148, 8) == sum;
}

bool is_zero(Block block) {
  for (const std::byte b : block) {
    if (b != std::byte{0}) return false;
  }
  return true;
}

std::string clean_path(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.ends_with('/')) path.pop_back();
  return path == "." ? std::string() : path;
}

/// What pax and GNU headers say of the entry that follows them.
struct Override {
  std::string path;
  std::optional<std::int64_t> size;
};

/// Records "LENGTH key=value\n".
void read_pax(std::string_view text, Override& next) {
  while (!text.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length > text.size() || length < digits + 3) return;
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    const auto equals = record.find('=');
    if (equals != std::string_view::npos) {
      const auto value = record.substr(equals + 1);
      if (record.substr(0, equals) == "path") next.path = std::string(value);
      if (record.substr(0, equals) == "size") {
        std::int64_t size = -1;
        std::from_chars(value.data(), value.data() + value.size(), size);
        next.size = size;
      }
    }
    text.remove_prefix(length);
  }
}

class Reader {
 public:
  Reader(ByteSource& source, const std::string& name, const TarOptions& options)
      : source_(source), name_(name), options_(options) {}

  std::vector<TarEntry> read(const std::function<bool(std::string_view)>& wanted) {
    std::vector<TarEntry> entries;
    for (std::int64_t headers = 0;; ++headers) {
      const SharedBytes header = source_.take(block_bytes);
      if (header.bytes.empty() && headers > 0) break;  // some writers leave the final zero blocks out
      if (header.bytes.size() < 512) fail("ends too early");
      if (is_zero(header.bytes)) break;
      if (!checksum_holds(header.bytes)) fail("has a header with a wrong checksum");
      read_entry(header.bytes, wanted, entries);
      if (static_cast<std::int64_t>(entries.size()) > options_.max_entries) {
        throw LimitError(cat("archive holds more than ", options_.max_entries, " entries"), {name_, {}, {}});
      }
      if (headers % 1024 == 0) check_cancelled();
    }
    return entries;
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw ModelError(cat("tar archive ", what), {name_, {}, {}}); }

  void read_entry(Block header, const std::function<bool(std::string_view)>& wanted, std::vector<TarEntry>& entries) {
    const char type = static_cast<char>(header[156]);
    const auto stored_size = field_number(header, 124, 12);
    if (!stored_size) fail("has a malformed size");
    if (type == 'L' || type == 'x') {
      const std::string text = take_text(*stored_size);
      if (type == 'L') next_.path = text.c_str();
      if (type == 'x') read_pax(text, next_);
      return;
    }
    const std::int64_t size = next_.size.value_or(*stored_size);
    if (size < 0) fail("has a negative size");
    const std::string path = clean_path(next_.path.empty() ? header_path(header) : next_.path);
    next_ = {};
    const bool is_file = type == '0' || type == '\0' || type == '7';
    const bool is_link = type == '1' || type == '2' || type == '3' || type == '4' || type == '6';
    if (type == '5' && !path.empty()) entries.push_back({path, true, {}});
    if (is_file && wanted(path)) {
      if (size > options_.max_bytes - kept_) {
        throw LimitError(cat("archive holds more than ", bytes_text(options_.max_bytes), " of wanted files"),
                         {name_, {}, {}}, "give the path inside it: ARCHIVE:path/inside");
      }
      kept_ += size;
      entries.push_back({path, false, take_content(size)});
    } else if (!is_link && type != '5') {
      pass(size, size);
    }
  }

  static std::string header_path(Block header) {
    const std::string prefix = field_text(header, 257, 5) == "ustar" ? field_text(header, 345, 155) : "";
    const std::string path = field_text(header, 0, 100);
    return prefix.empty() ? path : prefix + "/" + path;
  }

  std::string take_text(std::int64_t size) {
    if (size > max_name_bytes) fail("has a name of unreasonable length");
    const SharedBytes text = take_content(size);
    return {reinterpret_cast<const char*>(text.bytes.data()), text.bytes.size()};
  }

  SharedBytes take_content(std::int64_t size) {
    SharedBytes content = source_.take(size);
    if (static_cast<std::int64_t>(content.bytes.size()) < size) fail("ends within a file");
    pass(0, size);
    return content;
  }

  /// Passes over count bytes and the padding after a file of size bytes. Missing padding at the very end is tolerated.
  void pass(std::int64_t count, std::int64_t size) {
    if (source_.skip(count) < count) fail("ends within a file");
    source_.skip((block_bytes - size % block_bytes) % block_bytes);
  }

  ByteSource& source_;
  const std::string& name_;
  TarOptions options_;
  Override next_;
  std::int64_t kept_ = 0;
};

}  // namespace

bool looks_like_tar(std::span<const std::byte> bytes) {
  return bytes.size() >= 512 && !is_zero(bytes.first(512)) && checksum_holds(bytes.first(512));
}

std::vector<TarEntry> read_tar(ByteSource& source, const std::string& name,
                               const std::function<bool(std::string_view path)>& wanted, const TarOptions& options) {
  return Reader(source, name, options).read(wanted);
}

}  // namespace adze::detail
