#include "adze/base/checked.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/detail/zip.h"
#include "adze/data/npy.h"

namespace adze {

NamedTensors read_npz_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                            const std::string& name, std::int64_t max_bytes) {
  NamedTensors tensors;
  for (auto& entry : detail::read_zip({std::move(owner), bytes}, name, max_bytes)) {
    if (!entry.path.ends_with(".npy")) continue;
    const std::string array = entry.path.substr(0, entry.path.size() - 4);
    tensors.emplace_back(array, read_npy_bytes(entry.content.bytes, entry.content.owner, cat(name, ":", array)));
  }
  return tensors;
}

NamedTensors read_npz(const std::filesystem::path& path, std::int64_t max_bytes) {
  const auto file = MappedFile::open(path);
  return read_npz_bytes(file->bytes(), file, path.string(), max_bytes);
}

void write_npz(const std::filesystem::path& path, const NamedTensors& tensors) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& [name, tensor] : tensors) files.emplace_back(name + ".npy", write_npy_bytes(tensor));
  write_file(path, detail::write_zip(files));
}

}  // namespace adze
