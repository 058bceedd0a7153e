#include <system_error>

#include "adze/base/checked.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/detail/array_dataset.h"
#include "adze/data/detail/openers.h"

namespace adze::detail {

namespace {

constexpr const char* suffixes[] = {"images-idx3-ubyte", "images.idx3-ubyte"};

bool looks_like_idx(std::span<const std::byte> bytes) {
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  return bytes.size() >= 8 && byte(0) == 0 && byte(1) == 0 && byte(2) >= 8 && byte(2) <= 14 && byte(3) >= 1 &&
         byte(3) <= 8;
}

DType idx_dtype(int code, const std::string& name) {
  switch (code) {
    case 0x08:
      return DType::U8;
    case 0x09:
      return DType::S8;
    case 0x0B:
      return DType::S16;
    case 0x0C:
      return DType::S32;
    case 0x0D:
      return DType::F32;
    case 0x0E:
      return DType::F64;
    default:
      throw ModelError(cat("IDX file has the unknown element type ", code), {name, {}, {}});
  }
}

/// Two zero bytes, element type, rank, big-endian dimensions, big-endian data.
Tensor read_idx(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  const std::string name = path.string();
  if (!looks_like_idx(bytes)) throw ModelError("not an IDX file", {name, {}, {}});
  const DType dtype = idx_dtype(std::to_integer<int>(bytes[2]), name);
  const auto rank = std::to_integer<std::size_t>(bytes[3]);
  const std::size_t begin = 4 + 4 * rank;
  if (bytes.size() < begin) throw ModelError("IDX file ends within its header", {name, {}, {}});
  Shape shape;
  for (std::size_t d = 0; d < rank; ++d) {
    std::int64_t dim = 0;
    for (std::size_t i = 0; i < 4; ++i) dim = dim * 256 + std::to_integer<std::int64_t>(bytes[4 + 4 * d + i]);
    shape.push_back(dim);
  }
  const std::int64_t needed = storage_bytes(dtype, num_elements(shape));
  if (needed != static_cast<std::int64_t>(bytes.size() - begin)) {
    throw ModelError(
        cat("IDX header promises ", shape_text(shape), ", ", needed, " bytes, but ", bytes.size() - begin, " follow"),
        {name, {}, {}});
  }
  Tensor tensor = Tensor::view(dtype, shape, file, bytes.subspan(begin));
  const auto width = static_cast<std::size_t>(dtype_bits(dtype) / 8);
  if (width > 1) {
    const auto data = tensor.mutable_bytes();
    for (std::size_t i = 0; i < data.size(); i += width) {
      for (std::size_t k = 0; k < width / 2; ++k) std::swap(data[i + k], data[i + width - 1 - k]);
    }
  }
  return tensor;
}

/// "train-images-idx3-ubyte" → "train-labels-idx1-ubyte", when that file exists.
std::filesystem::path labels_beside(const std::filesystem::path& images) {
  std::string name = images.filename().string();
  std::error_code error;
  for (const char* suffix : suffixes) {
    const std::string ending = suffix;
    const auto at = name.find(ending);
    if (at == std::string::npos) continue;
    name.replace(at, ending.size(), ending[6] == '-' ? "labels-idx1-ubyte" : "labels.idx1-ubyte");
    auto labels = images.parent_path() / name;
    if (std::filesystem::is_regular_file(labels, error)) return labels;
  }
  return {};
}

std::shared_ptr<Dataset> open_file(const std::filesystem::path& images, const OpenRequest& request) {
  ArrayContent content;
  content.where = images.string();
  content.inputs = read_idx(images);
  const auto labels = request.options.labels.empty() ? labels_beside(images) : request.options.labels;
  if (!labels.empty()) {
    auto found = labels_of(read_idx(labels));
    if (!found) throw ModelError("IDX labels are not whole numbers, one a sample", {labels.string(), {}, {}});
    content.labels = std::move(*found);
  }
  recognise_pictures(content);
  return make_array_dataset(std::move(content), request.preprocessing);
}

}  // namespace

std::shared_ptr<Dataset> open_idx(const OpenRequest& request) {
  std::error_code error;
  if (!std::filesystem::is_directory(request.path, error)) {
    const auto file = MappedFile::open(request.path);
    return looks_like_idx(file->bytes()) ? open_file(request.path, request) : nullptr;
  }
  std::vector<std::string> parts;
  std::filesystem::path train, test;
  for (const char* suffix : suffixes) {
    if (std::filesystem::is_regular_file(request.path / cat("train-", suffix), error))
      train = request.path / cat("train-", suffix);
    if (std::filesystem::is_regular_file(request.path / cat("t10k-", suffix), error))
      test = request.path / cat("t10k-", suffix);
  }
  if (train.empty() && test.empty()) return nullptr;
  std::string split = request.options.split;
  if (train.empty() || test.empty()) split = train.empty() ? "test" : "train";
  if (split != "train" && split != "test") {
    throw ModelError("holds several data sets: train, test", {request.path.string(), {}, {}},
                     "choose one, or give one file of images");
  }
  return open_file(split == "train" ? train : test, request);
}

}  // namespace adze::detail
