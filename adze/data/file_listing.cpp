#include <algorithm>
#include <cctype>
#include <system_error>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/data/detail/openers.h"
#include "adze/data/detail/tar.h"

namespace adze::detail {

namespace {

constexpr int max_depth = 6;
constexpr std::size_t max_files = std::size_t{1} << 23;
constexpr std::int64_t max_file_bytes = std::int64_t{1} << 30;
// Real archives of text shrink by 20 at most; a bomb by thousands.
constexpr std::int64_t max_expansion = 1000;
constexpr std::int64_t free_expansion = std::int64_t{256} << 20;

bool is_hidden(std::string_view name) {
  return name.starts_with('.');
}

/// The extension in small letters; nothing for hidden files.
std::string extension_of(std::string_view path) {
  const auto slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dot = name.rfind('.');
  if (is_hidden(name) || dot == std::string_view::npos) return {};
  std::string extension(name.substr(dot + 1));
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

bool is_wanted(std::string_view path) {
  return has_picture_name(path) || has_sound_name(path);
}

void walk(const std::filesystem::path& folder, const std::string& prefix, int depth, FileListing& listing) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) throw ModelError(cat("cannot read folder: ", error.message()), {folder.string(), {}, {}});
  for (; entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (error) throw ModelError(cat("cannot read folder: ", error.message()), {folder.string(), {}, {}});
    const std::string name = entries->path().filename().string();
    if (is_hidden(name)) continue;
    const std::string path = prefix + name;
    std::error_code ignored;
    if (entries->is_directory(ignored)) {
      listing.folders.push_back(path);
      if (depth < max_depth) walk(entries->path(), path + "/", depth + 1, listing);
    } else if (is_wanted(name)) {
      listing.files.push_back(path);
    }
    if (listing.files.size() + listing.folders.size() > max_files) {
      throw LimitError(cat("folder holds more than ", max_files, " files"), {listing.where, {}, {}});
    }
    if (listing.files.size() % 4096 == 4095) check_cancelled();
  }
}

/// Every folder on the way to the path.
void add_parents(const std::string& path, std::vector<std::string>& folders) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    folders.push_back(path.substr(0, slash));
  }
}

void sort_folders(FileListing& listing) {
  std::sort(listing.folders.begin(), listing.folders.end());
  listing.folders.erase(std::unique(listing.folders.begin(), listing.folders.end()), listing.folders.end());
}

void drop_sounds(std::vector<std::string>& files, std::vector<SharedBytes>& contents) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (has_sound_name(files[i])) continue;
    if (kept != i) {
      files[kept] = std::move(files[i]);
      contents[kept] = std::move(contents[i]);
    }
    ++kept;
  }
  files.resize(kept);
  contents.resize(kept);
}

/// Where there are pictures, sounds are left out.
bool drops_sounds(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), has_picture_name);
}

}  // namespace

bool has_picture_name(std::string_view path) {
  const std::string extension = extension_of(path);
  return extension == "jpg" || extension == "jpeg" || extension == "png";
}

bool has_sound_name(std::string_view path) {
  return extension_of(path) == "wav";
}

FileListing list_folder(const std::filesystem::path& folder) {
  FileListing listing;
  listing.where = folder.string();
  walk(folder, "", 0, listing);
  if (drops_sounds(listing.files)) std::erase_if(listing.files, has_sound_name);
  std::sort(listing.files.begin(), listing.files.end());
  sort_folders(listing);
  listing.load = [folder, files = listing.files](std::size_t file) {
    const auto mapped = MappedFile::open(folder / files[file], max_file_bytes);
    return SharedBytes{mapped, mapped->bytes()};
  };
  return listing;
}

FileListing list_archive(const std::filesystem::path& archive, const std::string& inside,
                         const DatasetOptions& options) {
  const auto file = MappedFile::open(archive);
  const std::string prefix = inside.empty() ? "" : inside + "/";
  const SharedBytes packed{file, file->bytes()};
  const auto size = static_cast<std::int64_t>(packed.bytes.size());
  const auto source = looks_like_zstd(packed.bytes)
                          ? zstd_source(packed, archive.string(), free_expansion + max_expansion * size)
                          : memory_source(packed);
  TarOptions limits;
  limits.max_bytes = options.max_memory_bytes;
  const auto wanted = [&](std::string_view path) { return path.starts_with(prefix) && is_wanted(path); };
  std::vector<TarEntry> entries = read_tar(*source, archive.string(), wanted, limits);
  std::sort(entries.begin(), entries.end(), [](const TarEntry& a, const TarEntry& b) { return a.path < b.path; });

  FileListing listing;
  listing.where = inside.empty() ? archive.string() : cat(archive.string(), ":", inside);
  std::vector<SharedBytes> contents;
  for (TarEntry& entry : entries) {
    if (!entry.path.starts_with(prefix)) continue;
    const std::string path = entry.path.substr(prefix.size());
    add_parents(path, listing.folders);
    if (entry.is_folder) {
      listing.folders.push_back(path);
    } else {
      listing.files.push_back(path);
      contents.push_back(std::move(entry.content));
    }
  }
  sort_folders(listing);
  if (drops_sounds(listing.files)) drop_sounds(listing.files, contents);
  if (listing.files.empty() && !inside.empty()) {
    throw ModelError(cat("no JPEG or PNG picture and no WAV sound below ", adze::quoted(inside), " in the archive"),
                     {archive.string(), {}, {}});
  }
  listing.load = [contents = std::move(contents)](std::size_t index) { return contents[index]; };
  return listing;
}

}  // namespace adze::detail
