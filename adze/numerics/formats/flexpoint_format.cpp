#include "adze/numerics/formats/flexpoint_format.h"

#include <algorithm>
#include <cmath>

#include "adze/numerics/formats/families.h"
#include "adze/numerics/formats/integer_format.h"

namespace adze {

namespace {

double covering_scale(double largest, int mantissa_bits) {
  if (largest == 0) return 1.0;
  const double most = std::exp2(mantissa_bits - 1) - 1;
  const double scale = std::exp2(std::ceil(std::log2(largest / most)));
  return largest > scale * most ? 2 * scale : scale;
}

/// Integers that share one power of two per tensor.
class FlexpointFormat : public IntegerFormat {
 public:
  FlexpointFormat(Facts facts, std::int64_t most) : IntegerFormat(std::move(facts), -most - 1, most, false) {}

  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override {
    check_finite(values, name());
    const FormatParameters fitted = {covering_scale(largest_magnitude(values), bits()), 0.0};
    return options.search ? searched(values, options, fitted) : fitted;
  }

 protected:
  double stored_scale(double scale) const override { return std::exp2(std::round(std::log2(scale))); }
};

}  // namespace

void FlexpointManager::start(std::span<const float> values) {
  const double largest = largest_magnitude(values);
  maxima_.assign(1, largest);
  scale_ = covering_scale(largest, options_.mantissa_bits);
}

double FlexpointManager::largest() const {
  return scale_ * (std::exp2(options_.mantissa_bits - 1) - 1);
}

void FlexpointManager::observe(double largest_magnitude) {
  double seen = std::min(largest_magnitude, largest());
  if (largest_magnitude > largest()) {
    ++overflows_;
    maxima_.clear();
    seen *= 2;
  }
  maxima_.push_back(seen);
  if (maxima_.size() > options_.history) maxima_.pop_front();
  double sum = 0;
  double squares = 0;
  for (const double maximum : maxima_) sum += maximum;
  const double mean = sum / static_cast<double>(maxima_.size());
  for (const double maximum : maxima_) squares += (maximum - mean) * (maximum - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(maxima_.size()));
  const double most = *std::max_element(maxima_.begin(), maxima_.end());
  const double predicted = options_.headroom * (most + options_.deviations * deviation + options_.steps * scale_);
  scale_ = std::exp2(std::ceil(std::log2(predicted)) - (options_.mantissa_bits - 1));
}

std::shared_ptr<const NumberFormat> parse_flexpoint_format(std::string_view name) {
  std::string_view rest = name;
  int bits = 0;
  if (!take_prefix(rest, "flex") || !take_number(rest, bits) || !rest.empty()) return nullptr;
  check_format_number(name, "bits", bits, 4, 16);
  return std::make_shared<FlexpointFormat>(
      NumberFormat::Facts{std::string(name), "flexpoint", "Köster et al., Flexpoint, 2017", bits, 0, 8, false},
      (std::int64_t{1} << (bits - 1)) - 1);
}

}  // namespace adze
