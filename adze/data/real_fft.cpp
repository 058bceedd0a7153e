#include <cmath>
#include <numbers>

#include "adze/data/detail/real_fft.h"

namespace adze::detail {

namespace {

double angle(std::size_t k, std::size_t length) {
  return -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length);
}

}  // namespace

RealFft::RealFft(std::size_t size) : half_(size / 2), reversed_(half_) {
  for (std::size_t i = 1; i < half_; ++i) {
    reversed_[i] = static_cast<std::uint32_t>(reversed_[i / 2] / 2 + (i % 2 != 0 ? half_ / 2 : 0));
  }
  for (std::size_t length = 2; length <= half_; length *= 2) {
    for (std::size_t k = 0; k < length / 2; ++k) {
      cosines_.push_back(std::cos(angle(k, length)));
      sines_.push_back(std::sin(angle(k, length)));
    }
  }
  for (std::size_t k = 0; k <= half_; ++k) {
    turn_cosines_.push_back(std::cos(angle(k, size)));
    turn_sines_.push_back(std::sin(angle(k, size)));
  }
}

/// Radix 2, decimation in time; the input is in bit-reversed order.
void RealFft::transform(double* real, double* imaginary) const {
  const double* cosines = cosines_.data();
  const double* sines = sines_.data();
  for (std::size_t half = 1; half < half_; half *= 2) {
    for (std::size_t begin = 0; begin < half_; begin += 2 * half) {
      double* __restrict low_real = real + begin;
      double* __restrict high_real = low_real + half;
      double* __restrict low_imaginary = imaginary + begin;
      double* __restrict high_imaginary = low_imaginary + half;
      for (std::size_t k = 0; k < half; ++k) {
        const double turned_real = high_real[k] * cosines[k] - high_imaginary[k] * sines[k];
        const double turned_imaginary = high_real[k] * sines[k] + high_imaginary[k] * cosines[k];
        high_real[k] = low_real[k] - turned_real;
        high_imaginary[k] = low_imaginary[k] - turned_imaginary;
        low_real[k] += turned_real;
        low_imaginary[k] += turned_imaginary;
      }
    }
    cosines += half;
    sines += half;
  }
}

void RealFft::power(std::span<const double> signal, Scratch& scratch, std::span<double> power) const {
  double* real = scratch.real.data();
  double* imaginary = scratch.imaginary.data();
  for (std::size_t i = 0; i < half_; ++i) {
    real[reversed_[i]] = signal[2 * i];
    imaginary[reversed_[i]] = signal[2 * i + 1];
  }
  transform(real, imaginary);
  for (std::size_t k = 0; k <= half_; ++k) {
    const std::size_t a = k == half_ ? 0 : k, b = k == 0 ? 0 : half_ - k;
    // The spectra of the even and of the odd samples, each half of a sum or difference of mirrored bins.
    const double even_real = real[a] + real[b], even_imaginary = imaginary[a] - imaginary[b];
    const double odd_real = imaginary[a] + imaginary[b], odd_imaginary = real[b] - real[a];
    const double x = even_real + odd_real * turn_cosines_[k] - odd_imaginary * turn_sines_[k];
    const double y = even_imaginary + odd_real * turn_sines_[k] + odd_imaginary * turn_cosines_[k];
    power[k] = (x * x + y * y) / 4;
  }
}

}  // namespace adze::detail
