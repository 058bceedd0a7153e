#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace adze::detail {

/// Power spectra of real signals whose length is a power of two, at least 2, by a complex transform of half the length.
class RealFft {
 public:
  explicit RealFft(std::size_t size);

  /// Room for one call; every thread has its own.
  struct Scratch {
    std::vector<double> real, imaginary;
  };
  Scratch make_scratch() const { return {std::vector<double>(half_), std::vector<double>(half_)}; }

  /// |X|² of bins 0 … size / 2. signal: size numbers.
  void power(std::span<const double> signal, Scratch& scratch, std::span<double> power) const;

 private:
  void transform(double* real, double* imaginary) const;

  std::size_t half_;
  std::vector<std::uint32_t> reversed_;            ///< where each even-odd pair of the signal goes
  std::vector<double> cosines_, sines_;            ///< of −2πk / length, the stages one after the other
  std::vector<double> turn_cosines_, turn_sines_;  ///< of −2πk / size
};

}  // namespace adze::detail
