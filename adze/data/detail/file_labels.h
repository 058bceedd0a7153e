#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/data/detail/openers.h"

namespace adze::detail {

/// A file of a listing and its class; -1: none.
struct LabelledFile {
  std::size_t file;
  std::int64_t label;
};

struct LabelledFiles {
  std::vector<LabelledFile> files;   ///< by class, then by name
  std::vector<std::string> classes;  ///< sorted; empty when the files lie in no sub-folders
  std::string root;                  ///< the folder in the listing that holds them
};

/// Files with the sub-folder they lie in as their class; see open_dataset for the shapes accepted. what: the files'
/// kind in messages, such as "pictures". Throws ModelError.
LabelledFiles label_by_folder(const FileListing& listing, const OpenRequest& request, const std::string& what);

/// "5000 pictures in 10 classes in FOLDER:test"
std::string labelled_description(const LabelledFiles& labelled, const std::string& where, const std::string& what);

}  // namespace adze::detail
