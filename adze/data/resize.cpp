#include <algorithm>

#include "adze/base/text.h"
#include "adze/data/preprocessing.h"

namespace adze {

namespace {

/// The source pixels that one target pixel is made of, with weights that sum to one.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

Taps bilinear_taps(std::int64_t target, std::int64_t in, std::int64_t out) {
  const double centre = (static_cast<double>(target) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
  const double clamped = std::clamp(centre, 0.0, static_cast<double>(in - 1));
  const auto first = std::min(static_cast<std::int64_t>(clamped), std::max<std::int64_t>(in - 2, 0));
  const auto fraction = static_cast<float>(clamped - static_cast<double>(first));
  if (in == 1) return {0, {1.0F}};
  return {first, {1.0F - fraction, fraction}};
}

Taps area_taps(std::int64_t target, std::int64_t in, std::int64_t out) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  const double begin = static_cast<double>(target) * step;
  const double end = std::min(begin + step, static_cast<double>(in));
  Taps taps;
  taps.first = static_cast<std::int64_t>(begin);
  for (std::int64_t i = taps.first; i < in && static_cast<double>(i) < end; ++i) {
    const double covered = std::min(end, static_cast<double>(i + 1)) - std::max(begin, static_cast<double>(i));
    taps.weights.push_back(static_cast<float>(covered / (end - begin)));
  }
  return taps;
}

Taps nearest_taps(std::int64_t target, std::int64_t in, std::int64_t out) {
  const auto source = static_cast<std::int64_t>((static_cast<double>(target) + 0.5) * static_cast<double>(in) /
                                                static_cast<double>(out));
  return {std::min(source, in - 1), {1.0F}};
}

std::vector<Taps> make_taps(std::int64_t in, std::int64_t out, ResizeMethod method) {
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    switch (method) {
      case ResizeMethod::Bilinear:
        taps.push_back(bilinear_taps(i, in, out));
        break;
      case ResizeMethod::Area:
        taps.push_back(area_taps(i, in, out));
        break;
      case ResizeMethod::Nearest:
        taps.push_back(nearest_taps(i, in, out));
        break;
    }
  }
  return taps;
}

}  // namespace

Picture resized(const Picture& picture, std::int64_t width, std::int64_t height, ResizeMethod method) {
  if (width <= 0 || height <= 0) throw UsageError(cat("cannot resize a picture to ", width, "x", height));
  if (picture.width == width && picture.height == height) return picture;
  const auto columns = make_taps(picture.width, width, method);
  const auto rows = make_taps(picture.height, height, method);
  const std::int64_t channels = picture.channels;
  const auto row_size = static_cast<std::size_t>(picture.width * channels);

  Picture out{width, height, channels, {}};
  out.pixels.resize(static_cast<std::size_t>(width * height * channels));
  std::vector<float> line(row_size);
  std::size_t next = 0;
  for (const Taps& row : rows) {
    std::fill(line.begin(), line.end(), 0.0F);
    for (std::size_t k = 0; k < row.weights.size(); ++k) {
      const std::uint8_t* source = picture.pixels.data() + (static_cast<std::size_t>(row.first) + k) * row_size;
      for (std::size_t i = 0; i < row_size; ++i) line[i] += row.weights[k] * static_cast<float>(source[i]);
    }
    for (const Taps& column : columns) {
      for (std::int64_t c = 0; c < channels; ++c) {
        float sum = 0.0F;
        for (std::size_t k = 0; k < column.weights.size(); ++k) {
          sum += column.weights[k] * line[(static_cast<std::size_t>(column.first) + k) * channels + c];
        }
        out.pixels[next++] = static_cast<std::uint8_t>(std::clamp(sum + 0.5F, 0.0F, 255.0F));
      }
    }
  }
  return out;
}

}  // namespace adze
