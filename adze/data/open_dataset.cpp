#include <system_error>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/dataset.h"
#include "adze/data/detail/openers.h"
#include "adze/data/detail/tar.h"
#include "adze/data/synthetic.h"

namespace adze {

namespace {

using detail::OpenRequest;

bool is_archive(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return detail::looks_like_zstd(file->bytes()) || detail::looks_like_tar(file->bytes());
}

/// "archive:inside" when the part before one of the colons is a file.
std::optional<std::pair<std::filesystem::path, std::string>> split_archive_path(const std::string& text) {
  for (auto colon = text.rfind(':'); colon != std::string::npos && colon > 0; colon = text.rfind(':', colon - 1)) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(text.substr(0, colon), error)) continue;
    std::string inside = text.substr(colon + 1);
    while (inside.ends_with('/')) inside.pop_back();
    while (inside.starts_with('/') || inside.starts_with("./")) inside.erase(0, inside[0] == '/' ? 1 : 2);
    return std::pair{std::filesystem::path(text.substr(0, colon)), inside};
  }
  return std::nullopt;
}

std::shared_ptr<Dataset> open_demo(const std::string& text, const OpenRequest& request) {
  std::string split = text == "demo" ? request.options.split : text.substr(5);
  if (split == "train") return open_synthetic(SyntheticSplit::Train, request.preprocessing);
  if (split == "test") return open_synthetic(SyntheticSplit::Test, request.preprocessing);
  throw UsageError(cat("unknown part ", adze::quoted(split), " of the demo data"), "use demo:train or demo:test");
}

std::shared_ptr<Dataset> open_file(const OpenRequest& request) {
  if (is_archive(request.path)) {
    return detail::open_listing(detail::list_archive(request.path, "", request.options), request);
  }
  for (const auto open :
       {detail::open_text, detail::open_arrays, detail::open_idx, detail::open_cifar, detail::open_csv}) {
    if (auto dataset = open(request)) return dataset;
  }
  throw ModelError(
      "not a data set of a known kind: looked for .tar and .tar.zst archives of pictures or sounds, .npy, .npz, IDX, "
      "CIFAR batches, .txt texts and .csv tables of numbers",
      {request.path.string(), {}, {}});
}

std::shared_ptr<Dataset> open_folder(const OpenRequest& request) {
  for (const auto open : {detail::open_cifar, detail::open_idx, detail::open_arrays}) {
    if (auto dataset = open(request)) return dataset;
  }
  return detail::open_listing(detail::list_folder(request.path), request);
}

std::shared_ptr<Dataset> open_any(const OpenRequest& request) {
  const std::string text = request.path.string();
  std::error_code error;
  if (std::filesystem::is_directory(request.path, error)) return open_folder(request);
  if (std::filesystem::is_regular_file(request.path, error)) return open_file(request);
  if (text == "demo" || text.starts_with("demo:")) return open_demo(text, request);
  if (const auto inside = split_archive_path(text)) {
    if (!is_archive(inside->first)) {
      throw ModelError(cat("cannot look for ", adze::quoted(inside->second), " inside: not a .tar or .tar.zst archive"),
                       {inside->first.string(), {}, {}});
    }
    return detail::open_listing(detail::list_archive(inside->first, inside->second, request.options), request);
  }
  throw ModelError("data set not found: no such file or folder", {text, {}, {}},
                   "give a folder, an archive (a.tar.zst:path/inside), a file, or demo:test");
}

}  // namespace

std::shared_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Preprocessing& preprocessing,
                                      const DatasetOptions& options) {
  try {
    auto dataset = open_any({path, preprocessing, options});
    dataset->set_strict(options.strict);
    return dataset;
  } catch (const ModelError& error) {
    rethrow_with_place(error, {path.string(), {}, {}});
  }
}

}  // namespace adze
