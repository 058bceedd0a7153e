#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adze/data/picture.h"
#include "adze/data/sound_features.h"
#include "adze/graph/graph.h"
#include "adze/numerics/tensor.h"

namespace adze {

enum class PixelLayout : std::uint8_t { Nchw, Nhwc };
enum class ChannelOrder : std::uint8_t { Rgb, Bgr, Gray };
enum class ResizeMethod : std::uint8_t {
  Bilinear,  ///< pixel centres aligned, no antialiasing
  Area,      ///< mean of the covered source pixels
  Nearest,
};
enum class FitMethod : std::uint8_t {
  Stretch,     ///< width and height scaled on their own
  CenterCrop,  ///< the shorter side scaled to resize_side, the middle cut out
};

/// How a sample becomes a network's input: value = (pixel · scale − mean[c]) / std[c] on pixels 0 … 255.
/// The default leaves 0 … 255 unscaled, NCHW, RGB.
struct Preprocessing {
  std::int64_t width = 0;     ///< 0: as the picture is
  std::int64_t height = 0;    ///< 0: as the picture is
  std::int64_t channels = 0;  ///< 0: as the picture is; 1 from a colour picture is BT.601 gray
  PixelLayout layout = PixelLayout::Nchw;
  ChannelOrder order = ChannelOrder::Rgb;
  ResizeMethod resize = ResizeMethod::Bilinear;
  FitMethod fit = FitMethod::Stretch;
  std::int64_t resize_side = 0;  ///< CenterCrop: the shorter side before the cut; 0: the larger of width and height
  double scale = 1.0;
  std::vector<double> mean;  ///< nothing, one for all channels, or one each (in the order of `order`)
  std::vector<double> stddev;
  DType dtype = DType::F32;  ///< f32 f16 f64, or u8 s8 s16: round(value / quantization_scale) + zero_point, saturated
  double quantization_scale = 1.0;
  std::int64_t zero_point = 0;
  std::optional<SoundFeatures> sound;    ///< of data that is sound; absent: MFCC as in SoundFeatures
  std::vector<std::int64_t> vocabulary;  ///< of text: the characters by number; empty: those of the text itself
  /// Shape of one sample at the model's input without batch, where all known: numeric samples are reshaped to it.
  Shape sample_shape;
};

/// What the model says of its first input: size, channels and dtype from its type, the rest from the metadata
/// "adze.preprocessing" (JSON) and "adze.vocabulary". Throws ModelError on malformed metadata.
Preprocessing preprocessing_of(const Graph& graph);

/// base changed by a JSON object with the keys size [height, width], channels, layout, order, resize, fit, resize_side,
/// scale, mean, std, quantization_scale, zero_point, and of sound: features (mfcc, log-mel, waveform), rate, duration,
/// window, hop (ms), fft, mels, coefficients, low, high (Hz), mel (htk, slaney). Throws ModelError naming an unknown
/// key or bad value.
Preprocessing parse_preprocessing_json(std::string_view json, Preprocessing base = {});
/// base changed by a flag's text such as "size=96x96 scale=1/255 mean=0.485,0.456,0.406 std=0.229,0.224,0.225
/// layout=nhwc order=bgr fit=center-crop", "features=log-mel mels=40 window=40 hop=20"; items are separated by blanks
/// or semicolons. Throws UsageError.
Preprocessing parse_preprocessing_flags(std::string_view text, Preprocessing base = {});
/// The JSON that parse_preprocessing_json reads back; only what differs from the default.
std::string preprocessing_json(const Preprocessing& preprocessing);

/// The picture as one sample: [1, C, H, W] or [1, H, W, C].
Tensor preprocess(const Picture& picture, const Preprocessing& preprocessing);
/// Numbers that already are network input: converted to the dtype (quantized when it is an integer) and reshaped to
/// [1, sample_shape…] when the count fits, else [1, shape…].
Tensor preprocess_numbers(const Tensor& numbers, const Preprocessing& preprocessing);

/// Features of sound, (value · scale − mean) / std along the last axis.
Tensor normalized_features(const Tensor& features, const Preprocessing& preprocessing);

/// The picture in another size.
Picture resized(const Picture& picture, std::int64_t width, std::int64_t height, ResizeMethod method);

}  // namespace adze
