#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adze/data/dataset.h"
#include "adze/data/detail/byte_source.h"

namespace adze::detail {

/// What every opener needs.
struct OpenRequest {
  std::filesystem::path path;
  const Preprocessing& preprocessing;
  const DatasetOptions& options;
};

/// Files and folders by relative path with '/', and a way to get a file's bytes (thread-safe).
struct FileListing {
  std::string where;                 ///< for messages
  std::vector<std::string> files;    ///< pictures only, or sounds only when there is no picture
  std::vector<std::string> folders;  ///< all folders, also empty ones
  std::function<SharedBytes(std::size_t file)> load;
};

/// Is this the name of a picture (.jpg, .jpeg, .png), of a sound (.wav)?
bool has_picture_name(std::string_view path);
bool has_sound_name(std::string_view path);

FileListing list_folder(const std::filesystem::path& folder);
/// inside: only what is below this path, relative to it.
FileListing list_archive(const std::filesystem::path& archive, const std::string& inside,
                         const DatasetOptions& options);

/// A data set of the pictures or sounds of a listing; see open_dataset for the shapes it accepts.
std::shared_ptr<Dataset> open_listing(FileListing listing, const OpenRequest& request);
std::shared_ptr<Dataset> open_pictures(FileListing listing, const OpenRequest& request);
std::shared_ptr<Dataset> open_sounds(FileListing listing, const OpenRequest& request);

/// Of several parts, the one that the wanted split means ("test" also finds "val"); "" when none does.
std::string choose_split(const std::vector<std::string>& names, const std::string& wanted);

// Each returns null when the path is not of its kind.
std::shared_ptr<Dataset> open_cifar(const OpenRequest& request);
std::shared_ptr<Dataset> open_idx(const OpenRequest& request);
std::shared_ptr<Dataset> open_arrays(const OpenRequest& request);
std::shared_ptr<Dataset> open_text(const OpenRequest& request);
std::shared_ptr<Dataset> open_csv(const OpenRequest& request);

}  // namespace adze::detail
