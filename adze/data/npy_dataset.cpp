#include <algorithm>
#include <cstring>
#include <system_error>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/detail/array_dataset.h"
#include "adze/data/detail/openers.h"
#include "adze/data/detail/zip.h"
#include "adze/data/npy.h"

namespace adze::detail {

namespace {

const std::vector<std::string> input_names = {"x", "inputs", "input", "data", "images", "features", "arr_0"};
const std::vector<std::string> label_names = {"y", "labels", "label", "targets", "target", "classes", "arr_1"};

bool looks_like_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= 6 && std::memcmp(bytes.data(), "\x93NUMPY", 6) == 0;
}

/// Labels where they look like labels, else targets for regression.
void take_labels(const Tensor& tensor, ArrayContent& content) {
  if (tensor.dtype() == DType::String) {
    const auto texts = tensor.data<std::string>();
    content.labels = labels_of_texts({texts.begin(), texts.end()}, content.class_names);
  } else if (auto labels = labels_of(tensor)) {
    content.labels = std::move(*labels);
  } else {
    content.targets = tensor;
  }
}

const Tensor* find_array(const NamedTensors& arrays, const std::vector<std::string>& names, const std::string& part) {
  for (const auto& name : names) {
    for (const auto& [key, tensor] : arrays) {
      std::string lower = key;
      for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      if (lower == (part.empty() ? name : name + "_" + part) || (!part.empty() && lower == part + "_" + name))
        return &tensor;
    }
  }
  return nullptr;
}

std::string array_names(const NamedTensors& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : arrays) names.push_back(cat(name, " ", type_text(tensor)));
  return join(names, ", ");
}

std::shared_ptr<Dataset> open_npz(const OpenRequest& request) {
  const NamedTensors arrays = read_npz(request.path, request.options.max_memory_bytes);
  ArrayContent content;
  content.where = request.path.string();
  const Tensor* inputs = find_array(arrays, input_names, "");
  std::string part;
  if (inputs == nullptr) {
    std::vector<std::string> parts;
    for (const char* name : {"train", "test", "val", "valid"}) {
      if (find_array(arrays, input_names, name) != nullptr) parts.emplace_back(name);
    }
    part = parts.size() == 1 ? parts[0] : choose_split(parts, request.options.split);
    if (part.empty() && !parts.empty()) {
      throw ModelError(cat("holds several data sets: ", join(parts, ", ")), {content.where, {}, {}}, "choose one");
    }
    if (!part.empty()) inputs = find_array(arrays, input_names, part);
  }
  if (inputs == nullptr && arrays.size() == 1) inputs = &arrays[0].second;
  if (inputs == nullptr) {
    throw ModelError(cat("no array of inputs; it holds ", array_names(arrays)), {content.where, {}, {}},
                     "name the arrays 'x' and 'y'");
  }
  content.inputs = *inputs;
  if (const Tensor* labels = find_array(arrays, label_names, part)) take_labels(*labels, content);
  recognise_pictures(content);
  return make_array_dataset(std::move(content), request.preprocessing);
}

/// x.npy → y.npy, train_images.npy → train_labels.npy, NAME.npy → NAME_labels.npy or NAME.labels.npy.
std::filesystem::path labels_beside(const std::filesystem::path& inputs) {
  const std::string stem = inputs.stem().string();
  std::vector<std::string> candidates = {stem + "_labels", stem + ".labels", stem + "_y"};
  for (std::size_t i = 0; i < input_names.size(); ++i) {
    for (const auto& label : label_names) {
      if (stem == input_names[i]) candidates.push_back(label);
      if (stem.ends_with("_" + input_names[i])) {
        candidates.push_back(stem.substr(0, stem.size() - input_names[i].size()) + label);
      }
      if (stem.starts_with(input_names[i] + "_")) candidates.push_back(label + stem.substr(input_names[i].size()));
    }
  }
  std::error_code error;
  for (const auto& candidate : candidates) {
    auto path = inputs.parent_path() / (candidate + ".npy");
    if (path != inputs && std::filesystem::is_regular_file(path, error)) return path;
  }
  return {};
}

std::shared_ptr<Dataset> open_npy(const std::filesystem::path& path, const OpenRequest& request) {
  ArrayContent content;
  content.where = path.string();
  content.inputs = read_npy(path);
  const auto labels = request.options.labels.empty() ? labels_beside(path) : request.options.labels;
  if (!labels.empty()) take_labels(read_npy(labels), content);
  recognise_pictures(content);
  return make_array_dataset(std::move(content), request.preprocessing);
}

}  // namespace

std::shared_ptr<Dataset> open_arrays(const OpenRequest& request) {
  std::error_code error;
  if (!std::filesystem::is_directory(request.path, error)) {
    const auto file = MappedFile::open(request.path);
    if (looks_like_npy(file->bytes())) return open_npy(request.path, request);
    return looks_like_zip(file->bytes()) ? open_npz(request) : nullptr;
  }
  // A folder that holds x.npy (and y.npy), or x_train.npy and so on.
  for (const std::string& split : {std::string(), request.options.split}) {
    for (const auto& name : input_names) {
      for (const auto& stem : {split.empty() ? name : name + "_" + split, split.empty() ? name : split + "_" + name}) {
        const auto path = request.path / (stem + ".npy");
        if (std::filesystem::is_regular_file(path, error)) return open_npy(path, request);
      }
    }
  }
  return nullptr;
}

}  // namespace adze::detail
