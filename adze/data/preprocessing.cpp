#include "adze/data/preprocessing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "adze/base/text.h"

namespace adze {

namespace {

Picture fitted(const Picture& picture, const Preprocessing& how) {
  const std::int64_t width = how.width > 0 ? how.width : picture.width;
  const std::int64_t height = how.height > 0 ? how.height : picture.height;
  if (how.fit == FitMethod::Stretch) return resized(picture, width, height, how.resize);

  const std::int64_t side = std::max({how.resize_side, width, height});
  const std::int64_t shorter = std::min(picture.width, picture.height);
  const auto scaled = [&](std::int64_t length) { return std::max(side, (length * side + shorter / 2) / shorter); };
  if (std::max(picture.width, picture.height) / shorter > 1000) throw ModelError("picture is too narrow to be cropped");
  const Picture large = resized(picture, picture.width == shorter ? side : scaled(picture.width),
                                picture.height == shorter ? side : scaled(picture.height), how.resize);
  Picture out{width, height, picture.channels, {}};
  const std::int64_t left = (large.width - width) / 2;
  const std::int64_t top = (large.height - height) / 2;
  for (std::int64_t y = 0; y < height; ++y) {
    const auto* row = large.pixels.data() + ((top + y) * large.width + left) * large.channels;
    out.pixels.insert(out.pixels.end(), row, row + width * large.channels);
  }
  return out;
}

Picture with_channels(const Picture& picture, std::int64_t channels) {
  if (channels == 0 || channels == picture.channels) return picture;
  const std::int64_t pixels = picture.width * picture.height;
  Picture out{picture.width, picture.height, channels, {}};
  out.pixels.resize(static_cast<std::size_t>(pixels * channels));
  if (picture.channels == 1) {
    for (std::int64_t i = 0; i < pixels * channels; ++i) out.pixels[i] = picture.pixels[i / channels];
  } else if (picture.channels == 3 && channels == 1) {
    // BT.601 luma in 16-bit fixed point, as common picture libraries compute it.
    for (std::int64_t i = 0; i < pixels; ++i) {
      const auto* p = picture.pixels.data() + 3 * i;
      out.pixels[i] = static_cast<std::uint8_t>((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
    }
  } else {
    throw ModelError(cat("the network wants ", channels, " channels, but the picture has ", picture.channels), {},
                     "only gray and colour pictures are turned into each other");
  }
  return out;
}

double channel_value(const std::vector<double>& values, std::int64_t channel, std::int64_t channels, double fallback,
                     const char* what) {
  if (values.empty()) return fallback;
  if (values.size() == 1) return values[0];
  if (static_cast<std::int64_t>(values.size()) != channels) {
    throw UsageError(cat(what, " has ", values.size(), " values for ", channels, " channels"));
  }
  return values[static_cast<std::size_t>(channel)];
}

/// The stored form of one number: as it is for floats, quantized and saturated for integers.
template <typename T>
T store(double value, const Preprocessing& how) {
  if constexpr (std::is_integral_v<T>) {
    const double quantized = std::nearbyint(value / how.quantization_scale) + static_cast<double>(how.zero_point);
    if (std::isnan(quantized)) return static_cast<T>(how.zero_point);
    return static_cast<T>(std::clamp(quantized, static_cast<double>(std::numeric_limits<T>::min()),
                                     static_cast<double>(std::numeric_limits<T>::max())));
  } else {
    return T(static_cast<float>(value));
  }
}

template <typename F>
decltype(auto) visit_input_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::F32:
      return f(TypeTag<float>{});
    case DType::F64:
      return f(TypeTag<double>{});
    case DType::F16:
      return f(TypeTag<Float16>{});
    case DType::BF16:
      return f(TypeTag<BFloat16>{});
    case DType::U8:
      return f(TypeTag<std::uint8_t>{});
    case DType::S8:
      return f(TypeTag<std::int8_t>{});
    case DType::S16:
      return f(TypeTag<std::int16_t>{});
    case DType::S32:
      return f(TypeTag<std::int32_t>{});
    case DType::S64:
      return f(TypeTag<std::int64_t>{});
    default:
      throw UnsupportedError(cat("network input of type ", dtype_name(dtype), " cannot be made from data"));
  }
}

template <typename T>
void fill(const Picture& picture, const Preprocessing& how, std::span<T> out) {
  const std::int64_t channels = picture.channels;
  const std::int64_t pixels = picture.width * picture.height;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double mean = channel_value(how.mean, c, channels, 0.0, "mean");
    const double deviation = channel_value(how.stddev, c, channels, 1.0, "std");
    std::array<T, 256> table;
    for (int value = 0; value < 256; ++value) {
      table[static_cast<std::size_t>(value)] = store<T>((value * how.scale - mean) / deviation, how);
    }
    const std::int64_t source = how.order == ChannelOrder::Bgr && channels == 3 ? 2 - c : c;
    const std::uint8_t* in = picture.pixels.data() + source;
    T* target = how.layout == PixelLayout::Nchw ? out.data() + c * pixels : out.data() + c;
    const std::int64_t step = how.layout == PixelLayout::Nchw ? 1 : channels;
    for (std::int64_t i = 0; i < pixels; ++i) target[i * step] = table[in[i * channels]];
  }
}

}  // namespace

Tensor preprocess(const Picture& picture, const Preprocessing& how) {
  const std::int64_t channels = how.channels == 0 && how.order == ChannelOrder::Gray ? 1 : how.channels;
  const bool gray_first = channels == 1 && picture.channels == 3;
  const Picture ready =
      gray_first ? fitted(with_channels(picture, 1), how) : with_channels(fitted(picture, how), channels);
  Shape shape = how.layout == PixelLayout::Nchw ? Shape{1, ready.channels, ready.height, ready.width}
                                                : Shape{1, ready.height, ready.width, ready.channels};
  Tensor tensor(how.dtype, std::move(shape));
  visit_input_dtype(how.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill<T>(ready, how, tensor.mutable_data<T>());
  });
  // A network that takes pictures as flat vectors still gets its own shape.
  if (!how.sample_shape.empty() && how.sample_shape.size() != 3 && num_elements(how.sample_shape) == tensor.size()) {
    Shape flat = how.sample_shape;
    flat.insert(flat.begin(), 1);
    return tensor.reshaped(std::move(flat));
  }
  return tensor;
}

Tensor preprocess_numbers(const Tensor& numbers, const Preprocessing& how) {
  const bool fits = !how.sample_shape.empty() && num_elements(how.sample_shape) == numbers.size();
  Shape shape = fits ? how.sample_shape : numbers.shape();
  shape.insert(shape.begin(), 1);
  if (numbers.dtype() == how.dtype || numbers.dtype() == DType::String) return numbers.reshaped(std::move(shape));
  if (!is_integer(how.dtype) || is_integer(numbers.dtype()))
    return converted(numbers, how.dtype).reshaped(std::move(shape));
  const Tensor values = converted(numbers, DType::F64);
  Tensor tensor(how.dtype, std::move(shape));
  visit_input_dtype(how.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto in = values.data<double>();
    const auto out = tensor.mutable_data<T>();
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = store<T>(in[i], how);
  });
  return tensor;
}

Tensor normalized_features(const Tensor& features, const Preprocessing& how) {
  if (how.scale == 1.0 && how.mean.empty() && how.stddev.empty()) return features;
  Tensor result = features;
  const std::int64_t columns = features.dim(features.rank() - 1);
  std::int64_t column = 0;
  for (float& value : result.mutable_data<float>()) {
    const double mean = channel_value(how.mean, column, columns, 0.0, "mean");
    const double deviation = channel_value(how.stddev, column, columns, 1.0, "std");
    value = static_cast<float>((double{value} * how.scale - mean) / deviation);
    column = column + 1 == columns ? 0 : column + 1;
  }
  return result;
}

}  // namespace adze
