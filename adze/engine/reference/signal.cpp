#include <algorithm>
#include <cmath>
#include <numbers>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/values.h"

namespace adze::reference {

namespace {

/// Roots of unity, so that every transform of one length uses the same doubles.
class Fourier {
 public:
  Fourier(std::size_t length, bool inverse) : length_(length), inverse_(inverse), cosines_(length), sines_(length) {
    for (std::size_t i = 0; i < length; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
      cosines_[i] = std::cos(angle);
      sines_[i] = inverse ? std::sin(angle) : -std::sin(angle);
    }
  }

  /// X[k] = Σ_n x[n]·exp(∓2πi·k·n / N), divided by N in the inverse. x: real and imaginary parts in turn.
  void transform(const std::vector<double>& x, std::size_t bins, double* result, std::size_t step) const {
    const double scale = inverse_ ? 1 / static_cast<double>(length_) : 1;
    for (std::size_t k = 0; k < bins; ++k) {
      check_cancelled();
      double real = 0, imaginary = 0;
      std::size_t at = 0;
      for (std::size_t n = 0; n < length_; ++n) {
        real += x[2 * n] * cosines_[at] - x[2 * n + 1] * sines_[at];
        imaginary += x[2 * n] * sines_[at] + x[2 * n + 1] * cosines_[at];
        at = (at + k) % length_;
      }
      result[k * step] = real * scale;
      result[k * step + 1] = imaginary * scale;
    }
  }

 private:
  std::size_t length_;
  bool inverse_;
  std::vector<double> cosines_, sines_;
};

void dft(Context& context) {
  const Tensor& x = context.input(0);
  const Shape result = checked_shape(context);
  const Node& node = context.node();
  const std::int64_t parts = x.shape().back();
  if (parts != 1 && parts != 2) throw ModelError(cat("the last dimension is ", parts, ", expected 1 or 2"));
  const bool inverse = node.get_int("inverse") != 0, onesided = node.get_int("onesided") != 0;
  if (inverse && onesided) throw ModelError("a onesided inverse transform is not defined");
  const auto axis = static_cast<std::size_t>(normalize_axis(int_or(context, 2, node.get_int("axis", -2)), x.rank()));
  const std::int64_t available = x.shape()[axis], length = int_or(context, 1, available);
  if (length < 1) throw ModelError(cat("dft_length is ", length, "; the least is 1"));
  if (storage_bytes(DType::C128, length) > max_tensor_bytes())
    throw LimitError(cat("dft_length ", length, " is too large"));
  const std::int64_t outer = num_elements(part(x.shape(), 0, axis));
  const std::int64_t inner = num_elements(part(x.shape(), axis + 1, x.shape().size() - 1));
  const std::int64_t bins = result[axis];
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(result));
  std::vector<double> line(static_cast<std::size_t>(2 * length));
  const Fourier fourier(static_cast<std::size_t>(length), inverse);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      std::fill(line.begin(), line.end(), 0.0);
      for (std::int64_t n = 0; n < std::min(length, available); ++n) {
        const double* from = xs.data() + ((o * available + n) * inner + i) * parts;
        std::copy_n(from, parts, line.begin() + 2 * n);
      }
      double* to = y.data() + (o * bins * inner + i) * 2;
      fourier.transform(line, static_cast<std::size_t>(bins), to, static_cast<std::size_t>(2 * inner));
    }
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

void stft(Context& context) {
  const Tensor& x = context.input(0);
  if (!context.has(2) && !context.has(3)) throw ModelError("frame_length or window must be given");
  const Shape result = checked_shape(context);
  const std::int64_t step = int_or(context, 1, 1), parts = x.rank() == 3 ? x.dim(2) : 1;
  if (parts != 1 && parts != 2) throw ModelError(cat("the last dimension is ", parts, ", expected 1 or 2"));
  const std::int64_t length = context.has(3) ? int_or(context, 3, 1) : context.input(2).size();
  const std::vector<double> xs = to_doubles(x);
  const std::vector<double> window =
      context.has(2) ? to_doubles(context.input(2)) : std::vector<double>(static_cast<std::size_t>(length), 1.0);
  std::vector<double> y(detail::count_to_compute(result));
  std::vector<double> line(static_cast<std::size_t>(2 * length));
  const Fourier fourier(static_cast<std::size_t>(length), false);
  for (std::int64_t frame = 0; frame < result[0] * result[1]; ++frame) {
    const std::int64_t begin = frame / result[1] * x.dim(1) + frame % result[1] * step;
    for (std::int64_t n = 0; n < length; ++n) {
      for (std::int64_t p = 0; p < parts; ++p) {
        const double value = xs[static_cast<std::size_t>((begin + n) * parts + p)];
        line[static_cast<std::size_t>(2 * n + p)] = value * window[static_cast<std::size_t>(n)];
      }
    }
    fourier.transform(line, static_cast<std::size_t>(result[2]), y.data() + frame * result[2] * 2, 2);
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

/// a − b·cos(2πn / N) + c·cos(4πn / N); N one less when the window is symmetric.
void window_function(Context& context, double a, double b, double c) {
  const std::vector<ValueType> types = checked_types(context);
  const Shape shape = *concrete(*types[0].shape);
  const bool periodic = context.node().get_int("periodic") != 0;
  const auto period = static_cast<double>(std::max<std::int64_t>(1, shape[0] - (periodic ? 0 : 1)));
  Tensor window(DType::F64, shape);
  const auto values = window.mutable_data<double>();
  for (std::size_t n = 0; n < values.size(); ++n) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(n) / period;
    values[n] = a - b * std::cos(angle) + c * std::cos(2 * angle);
  }
  context.set(0, converted(window, types[0].dtype));
}

void hann_window(Context& context) {
  window_function(context, 0.5, 0.5, 0);
}
void hamming_window(Context& context) {
  window_function(context, 25.0 / 46.0, 21.0 / 46.0, 0);
}
void blackman_window(Context& context) {
  window_function(context, 0.42, 0.5, 0.08);
}

/// Triangles, evenly spaced on the mel scale, over the bins of a spectrogram.
void mel_weight_matrix(Context& context) {
  const std::vector<ValueType> types = checked_types(context);
  const Shape shape = *concrete(*types[0].shape);
  const std::int64_t length = int_or(context, 1, 0), rate = int_or(context, 2, 0);
  const double low = scalar_or(context, 3, 0), high = scalar_or(context, 4, 0);
  if (rate < 1) throw ModelError(cat("sample_rate is ", rate, "; the least is 1"));
  if (!(low >= 0 && high >= low && high <= static_cast<double>(rate))) {
    throw ModelError(cat("the band from ", low, " to ", high, " Hz does not fit a sample rate of ", rate));
  }
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double step = (mel(high) - mel(low)) / static_cast<double>(shape[1] + 2);
  const auto edge = [&](std::int64_t i) {
    const double hertz = 700 * (std::pow(10, (mel(low) + static_cast<double>(i) * step) / 2595) - 1);
    return static_cast<std::int64_t>(std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate)));
  };
  Tensor matrix(DType::F64, shape);
  const auto values = matrix.mutable_data<double>();
  const auto set = [&](std::int64_t bin, std::int64_t band, double value) {
    if (bin >= 0 && bin < shape[0]) values[static_cast<std::size_t>(bin * shape[1] + band)] = value;
  };
  for (std::int64_t band = 0; band < shape[1]; ++band) {
    const std::int64_t begin = edge(band), center = edge(band + 1), end = edge(band + 2);
    if (begin == center) set(center, band, 1);
    for (std::int64_t i = begin; begin < center && i <= center; ++i) {
      set(i, band, static_cast<double>(i - begin) / static_cast<double>(center - begin));
    }
    for (std::int64_t i = center; i < end; ++i) {
      set(i, band, static_cast<double>(end - i) / static_cast<double>(end - center));
    }
  }
  context.set(0, converted(matrix, types[0].dtype));
}

}  // namespace

std::span<const KernelEntry> signal_kernels() {
  static constexpr KernelEntry entries[] = {
      {OpKind::BlackmanWindow, blackman_window},    {OpKind::DFT, dft},
      {OpKind::HammingWindow, hamming_window},      {OpKind::HannWindow, hann_window},
      {OpKind::MelWeightMatrix, mel_weight_matrix}, {OpKind::STFT, stft},
  };
  return entries;
}

}  // namespace adze::reference
