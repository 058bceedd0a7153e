#include <algorithm>
#include <map>
#include <set>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/openers.h"
#include "adze/data/picture.h"

namespace adze::detail {

namespace {

constexpr std::size_t max_listed = 12;

struct PictureFile {
  std::size_t file;
  std::int64_t label;
};

/// Pictures held encoded (mapped, or in memory from an archive) and decoded when asked for.
class PictureDataset : public Dataset {
 public:
  PictureDataset(FileListing listing, std::vector<PictureFile> files, std::vector<std::string> classes,
                 std::string description, const OpenRequest& request)
      : listing_(std::move(listing)),
        files_(std::move(files)),
        classes_(std::move(classes)),
        description_(std::move(description)),
        preprocessing_(request.preprocessing),
        max_pixels_(request.options.max_pixels) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }

  Sample get(std::int64_t index) const override {
    const PictureFile& file = files_.at(static_cast<std::size_t>(index));
    const std::string path = name(index);
    const SharedBytes content = listing_.load(file.file);
    Sample sample;
    try {
      sample.input = preprocess(decode_picture(content.bytes, path, max_pixels_), preprocessing_);
    } catch (const ModelError& error) {
      rethrow_with_place(error, {path, {}, {}});
    }
    sample.label = file.label;
    sample.name = path;
    return sample;
  }

  std::int64_t label(std::int64_t index) const override { return files_.at(static_cast<std::size_t>(index)).label; }
  std::string name(std::int64_t index) const override {
    const auto& path = listing_.files[files_.at(static_cast<std::size_t>(index)).file];
    return cat(listing_.where, listing_.where.ends_with('/') ? "" : "/", path);
  }
  const std::vector<std::string>& class_names() const override { return classes_; }
  std::string description() const override { return description_; }

 private:
  FileListing listing_;
  std::vector<PictureFile> files_;
  std::vector<std::string> classes_;
  std::string description_;
  Preprocessing preprocessing_;
  std::int64_t max_pixels_;
};

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
std::string find_root(const Levels& levels, const OpenRequest& request, const std::string& where) {
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
          cat("pictures lie on different levels: ", adze::quoted(deeper[0]), " has sub-folders with pictures, ",
              flat.empty() ? "but pictures lie beside it" : cat("but ", adze::quoted(flat[0]), " holds pictures")),
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

std::shared_ptr<Dataset> open_pictures(FileListing listing, const OpenRequest& request) {
  const Levels levels = make_levels(listing);
  if (listing.files.empty()) {
    const auto& children = levels.at("").children;
    throw ModelError(
        cat("no data found; looked for JPEG and PNG pictures in one sub-folder a class, CIFAR batches (*.bin), "
            "IDX files (*-ubyte) and .npy, .npz and .csv files",
            children.empty() ? std::string() : cat("; it has the sub-folders ", listed(children))),
        {listing.where, {}, {}});
  }
  const std::string root = find_root(levels, request, listing.where);
  std::vector<std::string> classes = levels.at(root).direct > 0 ? std::vector<std::string>() : levels.at(root).children;
  std::sort(classes.begin(), classes.end());

  std::vector<PictureFile> files;
  const std::string prefix = root.empty() ? "" : root + "/";
  for (std::size_t i = 0; i < listing.files.size(); ++i) {
    const std::string& path = listing.files[i];
    if (!path.starts_with(prefix)) continue;
    const std::string rest = path.substr(prefix.size());
    const auto slash = rest.find('/');
    if (classes.empty()) {
      if (slash == std::string::npos) files.push_back({i, -1});
      continue;
    }
    const auto found = std::lower_bound(classes.begin(), classes.end(), rest.substr(0, slash));
    files.push_back({i, found - classes.begin()});
  }
  // By class and name whatever the characters around the '/' sort as, so that a folder and its archive agree.
  std::stable_sort(files.begin(), files.end(),
                   [](const PictureFile& a, const PictureFile& b) { return a.label < b.label; });
  std::string description =
      cat(files.size(), " pictures",
          classes.empty() ? std::string(" without classes") : cat(" in ", classes.size(), " classes"), " in ",
          listing.where, root.empty() ? "" : ":", root);
  return std::make_shared<PictureDataset>(std::move(listing), std::move(files), std::move(classes),
                                          std::move(description), request);
}

}  // namespace adze::detail
