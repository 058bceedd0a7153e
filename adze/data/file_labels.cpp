#include "adze/data/detail/file_labels.h"

#include <algorithm>
#include <map>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::detail {

namespace {

constexpr std::size_t max_listed = 12;

/// One folder of the listing: its sub-folders, and how many pictures are directly in it and below it.
struct Level {
  std::vector<std::string> children;
  std::int64_t direct = 0;
  std::int64_t below = 0;
};

using Levels = std::map<std::string, Level>;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

Levels make_levels(const FileListing& listing) {
  Levels levels;
  levels[""];
  for (const auto& folder : listing.folders) {
    levels[folder];
    const std::string parent = parent_of(folder);
    levels[parent].children.push_back(folder.substr(parent.empty() ? 0 : parent.size() + 1));
  }
  for (const auto& file : listing.files) {
    std::string folder = parent_of(file);
    ++levels[folder].direct;
    for (;; folder = parent_of(folder)) {
      ++levels[folder].below;
      if (folder.empty()) break;
    }
  }
  return levels;
}

std::string listed(std::vector<std::string> names) {
  const std::size_t more = names.size() > max_listed ? names.size() - max_listed : 0;
  names.resize(names.size() - more);
  return more == 0 ? join(names, ", ") : cat(join(names, ", "), " and ", more, " more");
}

/// The folder whose sub-folders are the classes (or that holds the pictures itself).
std::string find_root(const Levels& levels, const OpenRequest& request, const std::string& where,
                      const std::string& what) {
  std::string root;
  for (;;) {
    const Level& level = levels.at(root);
    std::vector<std::string> deeper, flat;
    for (const auto& child : level.children) {
      const Level& below = levels.at(joined(root, child));
      if (below.direct > 0) flat.push_back(child);
      if (below.below > below.direct) deeper.push_back(child);
    }
    if (deeper.empty()) return root;
    if (!flat.empty() || level.direct > 0) {
      throw ModelError(
          cat(what, " lie on different levels: ", adze::quoted(deeper[0]), " has sub-folders with ", what, ", but ",
              flat.empty() ? cat(what, " lie beside it") : cat(adze::quoted(flat[0]), " holds ", what)),
          {where, {}, {}}, "give a folder with one sub-folder for each class");
    }
    const std::string choice = deeper.size() == 1 ? deeper[0] : choose_split(deeper, request.options.split);
    if (choice.empty()) {
      throw ModelError(cat("holds several data sets: ", listed(deeper)), {where, {}, {}},
                       cat("choose one, for example ", request.path.string(),
                           std::filesystem::is_directory(request.path) ? "/" : ":", joined(root, deeper[0])));
    }
    root = joined(root, choice);
  }
}

}  // namespace

std::string choose_split(const std::vector<std::string>& names, const std::string& wanted) {
  static const std::map<std::string, std::vector<std::string>> spellings = {
      {"train", {"train", "training"}}, {"test", {"test", "testing", "val", "valid", "validation", "eval"}}};
  if (wanted.empty()) return {};
  const auto found = spellings.find(wanted);
  const std::vector<std::string> candidates = found != spellings.end() ? found->second : std::vector{wanted};
  for (const auto& candidate : candidates) {
    if (std::find(names.begin(), names.end(), candidate) != names.end()) return candidate;
  }
  return {};
}

LabelledFiles label_by_folder(const FileListing& listing, const OpenRequest& request, const std::string& what) {
  const Levels levels = make_levels(listing);
  if (listing.files.empty()) {
    const auto& children = levels.at("").children;
    throw ModelError(
        cat("no data found; looked for JPEG and PNG pictures and WAV sounds in one sub-folder a class, CIFAR batches "
            "(*.bin), IDX files (*-ubyte) and .npy, .npz, .csv and .txt files",
            children.empty() ? std::string() : cat("; it has the sub-folders ", listed(children))),
        {listing.where, {}, {}});
  }
  LabelledFiles result;
  result.root = find_root(levels, request, listing.where, what);
  if (levels.at(result.root).direct == 0) result.classes = levels.at(result.root).children;
  std::sort(result.classes.begin(), result.classes.end());

  const std::string prefix = result.root.empty() ? "" : result.root + "/";
  for (std::size_t i = 0; i < listing.files.size(); ++i) {
    const std::string& path = listing.files[i];
    if (!path.starts_with(prefix)) continue;
    const std::string rest = path.substr(prefix.size());
    const auto slash = rest.find('/');
    if (result.classes.empty()) {
      if (slash == std::string::npos) result.files.push_back({i, -1});
      continue;
    }
    const auto found = std::lower_bound(result.classes.begin(), result.classes.end(), rest.substr(0, slash));
    result.files.push_back({i, found - result.classes.begin()});
  }
  // By class and name whatever the characters around the '/' sort as, so that a folder and its archive agree.
  std::stable_sort(result.files.begin(), result.files.end(),
                   [](const LabelledFile& a, const LabelledFile& b) { return a.label < b.label; });
  return result;
}

std::string labelled_description(const LabelledFiles& labelled, const std::string& where, const std::string& what) {
  return cat(
      labelled.files.size(), " ", what,
      labelled.classes.empty() ? std::string(" without classes") : cat(" in ", labelled.classes.size(), " classes"),
      " in ", where, labelled.root.empty() ? "" : ":", labelled.root);
}

}  // namespace adze::detail
