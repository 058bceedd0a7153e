#include <algorithm>
#include <system_error>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/detail/openers.h"
#include "adze/data/picture.h"

namespace adze::detail {

namespace {

constexpr std::int64_t side = 32;
constexpr std::int64_t picture_bytes = 3 * side * side;

struct BatchFile {
  std::shared_ptr<const MappedFile> file;
  std::int64_t records;
};

/// CIFAR's binary version: records of one (CIFAR-10) or two (CIFAR-100: coarse, fine) label bytes and 3,072 pixels,
/// red, green and blue planes.
class CifarDataset : public Dataset {
 public:
  CifarDataset(std::vector<BatchFile> files, std::int64_t label_bytes, std::vector<std::string> classes,
               std::string where, const Preprocessing& preprocessing)
      : files_(std::move(files)),
        label_bytes_(label_bytes),
        classes_(std::move(classes)),
        where_(std::move(where)),
        preprocessing_(preprocessing) {
    for (const auto& file : files_) size_ += file.records;
  }

  std::int64_t size() const override { return size_; }
  Sample get(std::int64_t index) const override {
    const auto bytes = record(index).subspan(static_cast<std::size_t>(label_bytes_));
    Picture picture{side, side, 3, std::vector<std::uint8_t>(picture_bytes)};
    for (std::int64_t i = 0; i < side * side; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) {
        picture.pixels[i * 3 + c] = std::to_integer<std::uint8_t>(bytes[c * side * side + i]);
      }
    }
    Sample sample;
    sample.input = preprocess(picture, preprocessing_);
    sample.label = label(index);
    sample.name = name(index);
    return sample;
  }
  std::int64_t label(std::int64_t index) const override {
    return std::to_integer<std::int64_t>(record(index)[static_cast<std::size_t>(label_bytes_ - 1)]);
  }
  std::string name(std::int64_t index) const override { return cat(where_, "[", index, "]"); }
  const std::vector<std::string>& class_names() const override { return classes_; }
  std::string description() const override {
    return cat(size_, " pictures of CIFAR-", label_bytes_ == 1 ? 10 : 100, " in ", where_);
  }

 private:
  std::span<const std::byte> record(std::int64_t index) const {
    for (const auto& file : files_) {
      if (index < file.records) {
        const std::int64_t length = label_bytes_ + picture_bytes;
        return file.file->bytes().subspan(static_cast<std::size_t>(index * length), static_cast<std::size_t>(length));
      }
      index -= file.records;
    }
    throw InternalError("CifarDataset: index out of range");
  }

  std::vector<BatchFile> files_;
  std::int64_t label_bytes_;
  std::vector<std::string> classes_;
  std::string where_;
  Preprocessing preprocessing_;
  std::int64_t size_ = 0;
};

std::vector<std::string> read_names(const std::filesystem::path& folder, std::int64_t label_bytes) {
  std::vector<std::string> names;
  const auto path = folder / (label_bytes == 1 ? "batches.meta.txt" : "fine_label_names.txt");
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return names;
  for (const auto& line : split(read_text_file(path, 1 << 16), '\n')) {
    if (!trim(line).empty()) names.emplace_back(trim(line));
  }
  return names;
}

std::vector<std::filesystem::path> batch_files(const std::filesystem::path& folder, std::vector<std::string> names) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& name : names) {
    if (std::filesystem::is_regular_file(folder / name, error)) files.push_back(folder / name);
  }
  return files;
}

/// CIFAR-10 when every record's label is below 10, else CIFAR-100; 0 when the size fits neither.
std::int64_t label_bytes_of(std::span<const std::byte> bytes) {
  const auto fits = [&](std::size_t labels, int classes) {
    const std::size_t length = labels + picture_bytes;
    if (bytes.empty() || bytes.size() % length != 0) return false;
    for (std::size_t at = labels - 1; at < bytes.size(); at += length) {
      if (std::to_integer<int>(bytes[at]) >= classes) return false;
    }
    return true;
  };
  if (fits(1, 10)) return 1;
  return fits(2, 100) ? 2 : 0;
}

std::shared_ptr<Dataset> open_files(const std::vector<std::filesystem::path>& paths,
                                    const std::filesystem::path& folder, const std::string& where,
                                    const OpenRequest& request) {
  std::vector<BatchFile> files;
  std::int64_t label_bytes = 0;
  for (const auto& path : paths) {
    auto file = MappedFile::open(path);
    const std::int64_t found = label_bytes_of(file->bytes());
    if (found == 0 || (label_bytes != 0 && found != label_bytes)) {
      throw ModelError(
          cat("not a CIFAR batch: its ", file->bytes().size(),
              " bytes are not whole records of 3,073 (CIFAR-10) or 3,074 (CIFAR-100) with labels in range"),
          {path.string(), {}, {}});
    }
    label_bytes = found;
    const auto records = static_cast<std::int64_t>(file->bytes().size()) / (label_bytes + picture_bytes);
    files.push_back({std::move(file), records});
  }
  return std::make_shared<CifarDataset>(std::move(files), label_bytes, read_names(folder, label_bytes), where,
                                        request.preprocessing);
}

}  // namespace

std::shared_ptr<Dataset> open_cifar(const OpenRequest& request) {
  std::error_code error;
  const auto& path = request.path;
  if (!std::filesystem::is_directory(path, error)) {
    if (path.extension() != ".bin") return nullptr;
    return open_files({path}, path.parent_path(), path.string(), request);
  }
  std::vector<std::string> train_names = {"train.bin"};
  for (int i = 1; i <= 5; ++i) train_names.push_back(cat("data_batch_", i, ".bin"));
  const auto train = batch_files(path, train_names);
  const auto test = batch_files(path, {"test_batch.bin", "test.bin"});
  if (train.empty() && test.empty()) return nullptr;
  std::string split = request.options.split;
  if (train.empty() || test.empty()) split = train.empty() ? "test" : "train";
  if (split != "train" && split != "test") {
    throw ModelError("holds several data sets: train, test", {path.string(), {}, {}},
                     "choose one, or give one batch file");
  }
  return open_files(split == "train" ? train : test, path, cat(path.string(), ":", split), request);
}

}  // namespace adze::detail
