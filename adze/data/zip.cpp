#include "adze/data/detail/zip.h"

#include <zlib.h>

#include <algorithm>

#include "adze/base/checked.h"
#include "adze/base/hash.h"
#include "adze/base/text.h"

namespace adze::detail {

namespace {

constexpr std::uint32_t local_magic = 0x04034b50;
constexpr std::uint32_t central_magic = 0x02014b50;
constexpr std::uint32_t end_magic = 0x06054b50;
constexpr std::uint32_t end64_magic = 0x06064b50;
constexpr std::uint32_t locator64_magic = 0x07064b50;
constexpr std::int64_t max_entries = 1 << 16;
// Deflate's best ratio.
constexpr std::int64_t max_expansion = 1040;

/// Little-endian fields with bounds: reading beyond the end is a damaged archive.
class Fields {
 public:
  Fields(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::uint64_t number(std::int64_t offset, int width) const {
    const auto part = piece(offset, width);
    std::uint64_t value = 0;
    for (int i = width - 1; i >= 0; --i)
      value = value << 8 | std::to_integer<std::uint64_t>(part[static_cast<std::size_t>(i)]);
    return value;
  }
  std::int64_t size(std::int64_t offset, int width) const {
    const std::uint64_t value = number(offset, width);
    if (value > (std::uint64_t{1} << 62)) fail("has an impossible size");
    return static_cast<std::int64_t>(value);
  }
  std::span<const std::byte> piece(std::int64_t offset, std::int64_t length) const {
    const auto total = static_cast<std::int64_t>(bytes_.size());
    if (offset < 0 || length < 0 || offset > total || length > total - offset) fail("points outside itself");
    return bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw ModelError(cat("zip archive ", what), {name_, {}, {}});
  }
  std::int64_t total() const { return static_cast<std::int64_t>(bytes_.size()); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
};

struct Directory {
  std::int64_t offset = 0;
  std::int64_t entries = 0;
};

Directory find_directory(const Fields& fields) {
  const std::int64_t last = fields.total() - 22;
  for (std::int64_t at = last; at >= 0 && at > last - 65536; --at) {
    if (fields.number(at, 4) != end_magic) continue;
    Directory directory{fields.size(at + 16, 4), fields.size(at + 10, 2)};
    if (at >= 20 && fields.number(at - 20, 4) == locator64_magic) {
      const std::int64_t end64 = fields.size(at - 20 + 8, 8);
      if (fields.number(end64, 4) != end64_magic) fields.fail("has a damaged ZIP64 record");
      directory = {fields.size(end64 + 48, 8), fields.size(end64 + 32, 8)};
    }
    return directory;
  }
  fields.fail("has no directory at its end: it is truncated");
}

/// One row of the central directory.
struct Row {
  int flags = 0;
  int method = 0;
  std::uint32_t crc = 0;
  std::int64_t packed = 0;
  std::int64_t unpacked = 0;
  std::int64_t local = 0;
  std::string path;
  std::int64_t next = 0;
};

/// Sizes that do not fit 32 bits lie in an extra field, in this order and only where the plain field is all ones.
void read_zip64(const Fields& fields, std::int64_t at, std::int64_t length, Row& row) {
  for (std::int64_t end = at + length; at + 4 <= end;) {
    const auto kind = fields.number(at, 2);
    const std::int64_t size = fields.size(at + 2, 2);
    if (kind == 1) {
      std::int64_t field = at + 4;
      for (std::int64_t* value : {&row.unpacked, &row.packed, &row.local}) {
        if (*value != 0xFFFFFFFF) continue;
        *value = fields.size(field, 8);
        field += 8;
      }
    }
    at += 4 + size;
  }
}

Row read_row(const Fields& fields, std::int64_t at) {
  if (fields.number(at, 4) != central_magic) fields.fail("has a damaged directory");
  Row row;
  row.flags = static_cast<int>(fields.number(at + 8, 2));
  row.method = static_cast<int>(fields.number(at + 10, 2));
  row.crc = static_cast<std::uint32_t>(fields.number(at + 16, 4));
  row.packed = fields.size(at + 20, 4);
  row.unpacked = fields.size(at + 24, 4);
  row.local = fields.size(at + 42, 4);
  const std::int64_t name = fields.size(at + 28, 2);
  const std::int64_t extra = fields.size(at + 30, 2);
  const auto path = fields.piece(at + 46, name);
  row.path.assign(reinterpret_cast<const char*>(path.data()), path.size());
  read_zip64(fields, at + 46 + name, extra, row);
  row.next = at + 46 + name + extra + fields.size(at + 32, 2);
  return row;
}

SharedBytes inflate_whole(std::span<const std::byte> packed, std::int64_t unpacked, const Fields& fields) {
  auto out = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(unpacked));
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) throw LimitError("out of memory for inflate");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out->data());
  std::size_t in_left = packed.size();
  std::size_t out_left = out->size();
  int state = Z_OK;
  while (state == Z_OK) {
    // zlib counts in 32 bits.
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(in_left, 1U << 30));
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out_left, 1U << 30));
    const uInt in_before = stream.avail_in, out_before = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    in_left -= in_before - stream.avail_in;
    out_left -= out_before - stream.avail_out;
    if (in_before == stream.avail_in && out_before == stream.avail_out) break;
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || out_left != 0) fields.fail("has damaged deflated data");
  return {out, *out};
}

SharedBytes read_content(const SharedBytes& archive, const Fields& fields, const Row& row, const std::string& name) {
  if ((row.flags & 1) != 0) throw UnsupportedError("zip archive is encrypted", {name, {}, {}});
  if (row.method != 0 && row.method != 8) {
    throw UnsupportedError(cat("zip compression method ", row.method), {name, {}, {}},
                           "stored and deflated files are read");
  }
  if (fields.number(row.local, 4) != local_magic) fields.fail("has a damaged file header");
  const std::int64_t begin = row.local + 30 + fields.size(row.local + 26, 2) + fields.size(row.local + 28, 2);
  const auto packed = fields.piece(begin, row.packed);
  if (row.method == 0 && row.unpacked != row.packed) fields.fail("lies about a size");
  if (row.method == 8 && row.unpacked / max_expansion > row.packed + 1) fields.fail("lies about a size");
  SharedBytes content =
      row.method == 0 ? SharedBytes{archive.owner, packed} : inflate_whole(packed, row.unpacked, fields);
  if (crc32(content.bytes) != row.crc) fields.fail(cat("has a damaged file ", adze::quoted(row.path), " (wrong CRC)"));
  return content;
}

}  // namespace

bool looks_like_zip(std::span<const std::byte> bytes) {
  const auto is = [&](std::size_t i, int value) { return std::to_integer<int>(bytes[i]) == value; };
  return bytes.size() >= 4 && is(0, 'P') && is(1, 'K') && ((is(2, 3) && is(3, 4)) || (is(2, 5) && is(3, 6)));
}

std::vector<ZipEntry> read_zip(const SharedBytes& archive, const std::string& name, std::int64_t max_bytes) {
  const Fields fields(archive.bytes, name);
  const Directory directory = find_directory(fields);
  if (directory.entries > max_entries)
    throw LimitError(cat("zip archive with ", directory.entries, " files"), {name, {}, {}});
  std::vector<ZipEntry> entries;
  std::int64_t total = 0;
  std::int64_t at = directory.offset;
  for (std::int64_t i = 0; i < directory.entries; ++i) {
    const Row row = read_row(fields, at);
    at = row.next;
    if (row.path.ends_with('/')) continue;
    // Also counts stored files, so that entries that overlap cannot multiply the work.
    total = checked_add(total, row.unpacked, "zip size");
    if (total > max_bytes)
      throw LimitError(cat("zip archive unpacks to more than ", bytes_text(max_bytes)), {name, {}, {}});
    entries.push_back({row.path, read_content(archive, fields, row, name)});
  }
  return entries;
}

std::string write_zip(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out, directory;
  const auto number = [](std::string& target, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) target += static_cast<char>(value >> (8 * i));
  };
  for (const auto& [path, content] : files) {
    const auto size = checked_cast<std::uint32_t>(static_cast<std::int64_t>(content.size()), "file in a zip archive");
    const auto offset = checked_cast<std::uint32_t>(static_cast<std::int64_t>(out.size()), "zip archive");
    const std::uint32_t crc = crc32(std::as_bytes(std::span(content)));
    std::string common;
    number(common, 20, 2);
    number(common, 0x0800, 2);  // names are UTF-8
    number(common, 0, 2);
    number(common, 0x00210000, 4);  // 1980-01-01, so that equal content gives equal bytes
    number(common, crc, 4);
    number(common, size, 4);
    number(common, size, 4);
    number(common, path.size(), 2);
    number(common, 0, 2);
    number(out, local_magic, 4);
    out += common + path + content;
    number(directory, central_magic, 4);
    number(directory, 20, 2);
    directory += common;
    number(directory, 0, 6);
    number(directory, 0, 4);
    number(directory, offset, 4);
    directory += path;
  }
  const auto offset = checked_cast<std::uint32_t>(static_cast<std::int64_t>(out.size()), "zip archive");
  out += directory;
  number(out, end_magic, 4);
  number(out, 0, 4);
  number(out, files.size(), 2);
  number(out, files.size(), 2);
  number(out, directory.size(), 4);
  number(out, offset, 4);
  number(out, 0, 2);
  return out;
}

}  // namespace adze::detail
