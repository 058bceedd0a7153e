#include "adze/data/detail/array_dataset.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::detail {

namespace {

constexpr std::int64_t max_classes = 1 << 20;

/// Row i of a tensor, with a leading dimension of one when keep_first, sharing nothing.
Tensor row_of(const Tensor& tensor, std::int64_t row) {
  Shape shape(tensor.shape().begin() + 1, tensor.shape().end());
  Tensor out(tensor.dtype(), shape);
  const auto bytes = static_cast<std::size_t>(out.num_bytes());
  if (bytes > 0)
    std::memcpy(out.mutable_bytes().data(), tensor.bytes().data() + static_cast<std::size_t>(row) * bytes, bytes);
  return out;
}

class ArrayDataset : public Dataset {
 public:
  ArrayDataset(ArrayContent content, const Preprocessing& preprocessing)
      : content_(std::move(content)), preprocessing_(preprocessing) {}

  std::int64_t size() const override { return content_.inputs.dim(0); }

  Sample get(std::int64_t index) const override {
    if (index < 0 || index >= size()) throw InternalError("ArrayDataset: index out of range");
    Sample sample;
    sample.name = name(index);
    sample.label = label(index);
    if (content_.targets) {
      Tensor target = row_of(*content_.targets, index);
      Shape shape = target.shape();
      shape.insert(shape.begin(), 1);
      sample.target = target.reshaped(std::move(shape));
    }
    const Tensor row = row_of(content_.inputs, index);
    sample.input =
        content_.pictures ? preprocess(picture_of(row), preprocessing_) : preprocess_numbers(row, preprocessing_);
    return sample;
  }

  std::int64_t label(std::int64_t index) const override {
    return content_.labels.empty() ? -1 : content_.labels.at(static_cast<std::size_t>(index));
  }
  std::string name(std::int64_t index) const override { return cat(content_.where, "[", index, "]"); }
  const std::vector<std::string>& class_names() const override { return content_.class_names; }
  std::string description() const override {
    return cat(size(), content_.pictures ? " pictures" : " rows", " of ", type_text(content_.inputs), " in ",
               content_.where);
  }

 private:
  Picture picture_of(const Tensor& row) const {
    Picture picture;
    const auto pixels = row.data<std::uint8_t>();
    const Shape& shape = row.shape();
    if (content_.channels_first) {
      picture = {shape[2], shape[1], shape[0], std::vector<std::uint8_t>(pixels.size())};
      const std::int64_t plane = shape[1] * shape[2];
      for (std::int64_t i = 0; i < plane; ++i) {
        for (std::int64_t c = 0; c < shape[0]; ++c) picture.pixels[i * shape[0] + c] = pixels[c * plane + i];
      }
      return picture;
    }
    return {shape[1], shape[0], shape.size() == 3 ? shape[2] : 1, {pixels.begin(), pixels.end()}};
  }

  ArrayContent content_;
  Preprocessing preprocessing_;
};

}  // namespace

void recognise_pictures(ArrayContent& content) {
  const Tensor& inputs = content.inputs;
  if (inputs.dtype() != DType::U8) return;
  const auto is_channels = [](std::int64_t dim) { return dim == 1 || dim == 3; };
  if (inputs.rank() == 3) content.pictures = true;
  if (inputs.rank() == 4) {
    content.channels_first = is_channels(inputs.dim(1)) && !is_channels(inputs.dim(3));
    content.pictures = content.channels_first || is_channels(inputs.dim(3));
  }
  for (std::int64_t d = 1; d < inputs.rank(); ++d) content.pictures = content.pictures && inputs.dim(d) > 0;
}

std::shared_ptr<Dataset> make_array_dataset(ArrayContent content, const Preprocessing& preprocessing) {
  const ErrorPlace place{content.where, {}, {}};
  if (content.inputs.rank() == 0 || content.inputs.dim(0) == 0) throw ModelError("holds no samples", place);
  const std::int64_t rows = content.inputs.dim(0);
  if (content.inputs.dtype() == DType::String) throw ModelError("inputs are texts, expected numbers", place);
  if (!content.labels.empty() && static_cast<std::int64_t>(content.labels.size()) != rows) {
    throw ModelError(cat("has ", rows, " inputs but ", content.labels.size(), " labels"), place);
  }
  if (content.targets && (content.targets->rank() == 0 || content.targets->dim(0) != rows)) {
    throw ModelError(cat("has ", rows, " inputs but targets of shape ", shape_text(content.targets->shape())), place);
  }
  for (const std::int64_t label : content.labels) {
    if (label < -1 || label >= max_classes) throw ModelError(cat("label ", label, " is out of range"), place);
  }
  return std::make_shared<ArrayDataset>(std::move(content), preprocessing);
}

std::optional<std::vector<std::int64_t>> labels_of(const Tensor& tensor) {
  if (tensor.rank() == 0 || tensor.dtype() == DType::String || dtype_bits(tensor.dtype()) > 64) return std::nullopt;
  const std::int64_t rows = tensor.dim(0);
  if (rows == 0) return std::nullopt;
  const std::int64_t width = tensor.size() / rows;
  if (tensor.rank() > 2 || width > 65536) return std::nullopt;
  const Tensor values = converted(tensor, DType::F64);
  const auto data = values.data<double>();
  std::vector<std::int64_t> labels(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = data.subspan(i * static_cast<std::size_t>(width), static_cast<std::size_t>(width));
    if (width == 1) {
      if (row[0] != std::floor(row[0]) || std::abs(row[0]) > 1e9) return std::nullopt;
      labels[i] = static_cast<std::int64_t>(row[0]);
      continue;
    }
    const auto ones = std::count(row.begin(), row.end(), 1.0);
    const auto zeros = std::count(row.begin(), row.end(), 0.0);
    if (ones != 1 || zeros + 1 != width) return std::nullopt;
    labels[i] = std::find(row.begin(), row.end(), 1.0) - row.begin();
  }
  return labels;
}

std::vector<std::int64_t> labels_of_texts(const std::vector<std::string>& texts,
                                          std::vector<std::string>& class_names) {
  std::vector<std::int64_t> labels;
  for (const auto& text : texts) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) break;
    labels.push_back(value);
  }
  if (labels.size() == texts.size()) return labels;
  class_names = texts;
  std::sort(class_names.begin(), class_names.end());
  class_names.erase(std::unique(class_names.begin(), class_names.end()), class_names.end());
  labels.clear();
  for (const auto& text : texts) {
    labels.push_back(std::lower_bound(class_names.begin(), class_names.end(), text) - class_names.begin());
  }
  return labels;
}

}  // namespace adze::detail
