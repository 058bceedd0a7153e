#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/base/random.h"

namespace adze {

/// How a value between two codes becomes one of them: to the nearest, ties to the even code; or, with a generator, to
/// either neighbour with a probability that makes the mean right (stochastic rounding).
struct Rounding {
  Random* random = nullptr;  ///< nullptr: to nearest even
};

/// What is known about values when parameters are fitted to them.
struct FitOptions {
  std::span<const float> importance;  ///< weights of the squared errors, one a value; empty: all 1
  bool search = false;                ///< formats with one scale: look for the scale of least squared error as well
};

/// The parameters that a block of values shares: a scale, a zero point, levels … as the format says. Empty for formats
/// that have none.
using FormatParameters = std::vector<double>;

/// A number format: what codes of so many bits stand for, and how real numbers become codes.
///
/// Formats whose codes mean something only together with what a block of values shares (a scale, a codebook) take
/// these as parameters; fit() finds them.
class NumberFormat {
 public:
  struct Facts {
    std::string name;             ///< as format() takes it
    std::string family;           ///< "float", "integer", "posit" …
    std::string source;           ///< paper or specification
    int bits = 0;                 ///< of one code
    std::int64_t block = 0;       ///< values that share parameters, when the format says it; 0: any number
    int parameter_bits = 0;       ///< storage of the parameters of one block
    bool sign_symmetric = false;  ///< with v, -v is a value as well
  };

  explicit NumberFormat(Facts facts) : facts_(std::move(facts)) {}
  virtual ~NumberFormat() = default;
  NumberFormat(const NumberFormat&) = delete;
  NumberFormat& operator=(const NumberFormat&) = delete;

  const Facts& facts() const { return facts_; }
  const std::string& name() const { return facts_.name; }
  int bits() const { return facts_.bits; }

  /// Parameters for these values. Throws ModelError for values that are not finite.
  virtual FormatParameters fit(std::span<const float> values, const FitOptions& options = {}) const = 0;
  /// The parameters with which codes are shown: scale 1 where there is one.
  virtual FormatParameters unit() const = 0;
  /// The code of a value. Beyond the largest value formats saturate, except those with infinities; NaN becomes NaN
  /// where the format has one and throws ModelError otherwise.
  virtual std::uint64_t encode(double value, const FormatParameters& parameters, Rounding rounding = {}) const = 0;
  /// What a code stands for; infinite or NaN for such codes, and NaN for codes that the format does not use.
  /// Throws UsageError for codes with too many bits.
  virtual double decode(std::uint64_t code, const FormatParameters& parameters) const = 0;

  /// Values as they come back from codes, with parameters fitted to them block by block.
  std::vector<float> rounded(std::span<const float> values, const FitOptions& options = {},
                             Rounding rounding = {}) const;

 protected:
  void check_code(std::uint64_t code) const;
  /// For formats with parameters {scale, …}: the scale of least squared error among those from 1.1 down to 0.4 of the
  /// one in start, each as stored_scale() gives it.
  FormatParameters searched(std::span<const float> values, const FitOptions& options, FormatParameters start) const;
  /// The nearest scale that the format can store.
  virtual double stored_scale(double scale) const { return scale; }
  [[noreturn]] void refuse_nan() const;

 private:
  Facts facts_;
};

/// The format of that name: "f8e4m3", "e3m4fn", "int4", "uint8", "q3.4", "fixed8", "posit8", "posit16es1", "mxfp4",
/// "mxint8", "flex16", "binary", "ternary", "log4", "apot4", "codebook16", "codesum3". Names are listed in
/// docs/formats.md. Throws UsageError with the nearest name.
std::shared_ptr<const NumberFormat> format(std::string_view name);
/// One name of every kind, in the order of documents: what the tests and pictures go through.
std::vector<std::string> format_names();

/// Throws ModelError unless every value is finite.
void check_finite(std::span<const float> values, std::string_view format_name);
/// The largest magnitude; 0 for no values.
double largest_magnitude(std::span<const float> values);

}  // namespace adze
