#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/file_labels.h"
#include "adze/data/detail/openers.h"
#include "adze/data/picture.h"

namespace adze::detail {

namespace {

/// Pictures held encoded (mapped, or in memory from an archive) and decoded when asked for.
class PictureDataset : public Dataset {
 public:
  PictureDataset(FileListing listing, std::vector<LabelledFile> files, std::vector<std::string> classes,
                 std::string description, const OpenRequest& request)
      : listing_(std::move(listing)),
        files_(std::move(files)),
        classes_(std::move(classes)),
        description_(std::move(description)),
        preprocessing_(request.preprocessing),
        max_pixels_(request.options.max_pixels) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }

  Sample get(std::int64_t index) const override {
    const LabelledFile& file = files_.at(static_cast<std::size_t>(index));
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
  std::vector<LabelledFile> files_;
  std::vector<std::string> classes_;
  std::string description_;
  Preprocessing preprocessing_;
  std::int64_t max_pixels_;
};

}  // namespace

std::shared_ptr<Dataset> open_pictures(FileListing listing, const OpenRequest& request) {
  LabelledFiles labelled = label_by_folder(listing, request, "pictures");
  std::string description = labelled_description(labelled, listing.where, "pictures");
  return std::make_shared<PictureDataset>(std::move(listing), std::move(labelled.files), std::move(labelled.classes),
                                          std::move(description), request);
}

}  // namespace adze::detail
