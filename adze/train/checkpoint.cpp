#include "adze/train/checkpoint.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "adze/base/checked.h"
#include "adze/base/files.h"
#include "adze/base/hash.h"
#include "adze/base/text.h"

namespace adze::train {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view magic = "adze checkpoint 1\n";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw ModelError(cat("not a whole checkpoint: ", reason), {path.string(), "", ""},
                   "start again without --resume, or use an older checkpoint");
}

std::span<const std::byte> piece(std::span<const std::byte> bytes, std::int64_t offset, std::int64_t count,
                                 const std::filesystem::path& path) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (offset < 0 || count < 0 || offset > size || count > size - offset) refuse(path, "it is cut short");
  return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
}

Tensor read_tensor(const Json& entry, std::span<const std::byte> payload, const std::filesystem::path& path) {
  const auto dtype = dtype_from_name(entry.at("dtype").get<std::string>());
  if (!dtype || dtype_bits(*dtype) < 8) refuse(path, cat("dtype ", entry.at("dtype").get<std::string>()));
  const Shape shape = entry.at("shape").get<Shape>();
  const std::int64_t count = storage_bytes(*dtype, num_elements(shape));
  const auto bytes = piece(payload, entry.at("offset").get<std::int64_t>(), count, path);
  if (crc32(bytes) != entry.at("crc32").get<std::uint32_t>()) {
    refuse(path, cat("the content of ", adze::quoted(entry.at("name").get<std::string>()), " is damaged"));
  }
  Tensor tensor(*dtype, shape);
  if (!bytes.empty()) std::memcpy(tensor.mutable_bytes().data(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

void write_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  Json entries = Json::array();
  std::int64_t offset = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    entries.push_back({{"name", name},
                       {"dtype", dtype_name(tensor.dtype())},
                       {"shape", tensor.shape()},
                       {"offset", offset},
                       {"crc32", crc32(tensor.bytes())}});
    offset += tensor.num_bytes();
  }
  const std::string header =
      Json({{"job", checkpoint.job}, {"status", checkpoint.status}, {"tensors", std::move(entries)}}).dump();
  AtomicFileWriter writer(path);
  writer.write(magic);
  std::array<std::byte, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<std::byte>(header.size() >> (8 * i));
  writer.write(length);
  writer.write(header);
  for (const auto& [name, tensor] : checkpoint.tensors) writer.write(tensor.bytes());
  writer.commit();
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  const auto start = static_cast<std::int64_t>(magic.size());
  const auto head = piece(bytes, 0, start, path);
  if (std::memcmp(head.data(), magic.data(), magic.size()) != 0) refuse(path, "it begins otherwise");
  std::uint64_t length = 0;
  const auto stored = piece(bytes, start, 8, path);
  for (std::size_t i = 0; i < 8; ++i) length |= static_cast<std::uint64_t>(stored[i]) << (8 * i);
  if (length > bytes.size()) refuse(path, "it is cut short");
  const auto text = piece(bytes, start + 8, static_cast<std::int64_t>(length), path);
  const auto payload = bytes.subspan(static_cast<std::size_t>(start + 8) + length);
  Checkpoint checkpoint;
  try {
    const Json header = Json::parse(reinterpret_cast<const char*>(text.data()),
                                    reinterpret_cast<const char*>(text.data()) + text.size());
    checkpoint.job = header.at("job").get<std::string>();
    checkpoint.status = header.at("status").get<std::string>();
    for (const Json& entry : header.at("tensors")) {
      checkpoint.tensors[entry.at("name").get<std::string>()] = read_tensor(entry, payload, path);
    }
  } catch (const Json::exception& error) {
    refuse(path, error.what());
  }
  return checkpoint;
}

}  // namespace adze::train
