#include "adze/numerics/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace adze {

namespace {

constexpr int mantissa_bits = 9;
constexpr int key_shift = 23 - mantissa_bits;
constexpr std::int32_t octave = 1 << mantissa_bits;
constexpr std::int32_t window = 24 * octave;
constexpr std::uint32_t magnitude_mask = 0x7fffffffU;
constexpr std::uint32_t infinity_bits = 0x7f800000U;

double edge(std::int32_t key) {
  const std::uint32_t bits = static_cast<std::uint32_t>(key) << key_shift;
  if (bits >= infinity_bits) return std::ldexp(1.0, 128);
  return std::bit_cast<float>(bits);
}

/// The part of the bin that lies in [low, high].
double share(const Histogram::Bin& bin, double low, double high) {
  if (bin.low == bin.high) return bin.low >= low && bin.low <= high ? 1 : 0;
  const double overlap = std::min(bin.high, high) - std::max(bin.low, low);
  return std::clamp(overlap / (bin.high - bin.low), 0.0, 1.0);
}

}  // namespace

void Histogram::raise_top(std::int32_t top) {
  const std::int32_t lowest = std::max(0, top - window + 1);
  for (Counters* counters : {&positive_, &negative_}) {
    Counters grown(static_cast<std::size_t>(top - lowest + 1), 0);
    for (std::size_t i = 0; i < counters->size(); ++i) {
      const std::int32_t key = std::max(lowest_ + static_cast<std::int32_t>(i), lowest);
      grown[static_cast<std::size_t>(key - lowest)] += (*counters)[i];
    }
    *counters = std::move(grown);
  }
  lowest_ = lowest;
  top_ = top;
}

void Histogram::add(std::span<const float> values) {
  std::uint32_t largest = 0;
  float low = 0;
  float high = 0;
  std::int64_t finite = 0;
  for (const float value : values) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & magnitude_mask;
    if (magnitude >= infinity_bits) continue;
    if (finite++ == 0) low = high = value;
    largest = std::max(largest, magnitude);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  non_finite_ += static_cast<std::int64_t>(values.size()) - finite;
  if (finite == 0) return;
  min_ = count_ == 0 ? low : std::min<double>(min_, low);
  max_ = count_ == 0 ? high : std::max<double>(max_, high);
  count_ += finite;
  if (const auto top = static_cast<std::int32_t>(largest >> key_shift); largest != 0 && top > top_) raise_top(top);
  for (const float value : values) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & magnitude_mask;
    if (magnitude >= infinity_bits) continue;
    if (magnitude == 0) {
      ++zeros_;
      continue;
    }
    const std::int32_t key = std::max(static_cast<std::int32_t>(magnitude >> key_shift), lowest_);
    Counters& counters = bits > magnitude_mask ? negative_ : positive_;
    ++counters[static_cast<std::size_t>(key - lowest_)];
  }
}

void Histogram::merge(const Histogram& other) {
  non_finite_ += other.non_finite_;
  if (other.count_ == 0) return;
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  count_ += other.count_;
  zeros_ += other.zeros_;
  if (other.top_ > top_) raise_top(other.top_);
  for (std::size_t i = 0; i < other.positive_.size(); ++i) {
    const std::int32_t key = std::max(other.lowest_ + static_cast<std::int32_t>(i), lowest_);
    positive_[static_cast<std::size_t>(key - lowest_)] += other.positive_[i];
    negative_[static_cast<std::size_t>(key - lowest_)] += other.negative_[i];
  }
}

std::vector<Histogram::Bin> Histogram::bins() const {
  std::vector<Bin> result;
  const auto low_edge = [&](std::size_t i) { return i == 0 ? 0.0 : edge(lowest_ + static_cast<std::int32_t>(i)); };
  const auto high_edge = [&](std::size_t i) { return edge(lowest_ + static_cast<std::int32_t>(i) + 1); };
  for (std::size_t i = negative_.size(); i-- > 0;) {
    if (negative_[i] > 0) result.push_back({std::max(-high_edge(i), min_), std::min(-low_edge(i), max_), negative_[i]});
  }
  if (zeros_ > 0) result.push_back({0, 0, zeros_});
  for (std::size_t i = 0; i < positive_.size(); ++i) {
    if (positive_[i] > 0) result.push_back({std::max(low_edge(i), min_), std::min(high_edge(i), max_), positive_[i]});
  }
  return result;
}

double Histogram::quantile(double fraction) const {
  if (count_ == 0) return 0;
  const double wanted = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_);
  double below = 0;
  for (const Bin& bin : bins()) {
    const auto in_bin = static_cast<double>(bin.count);
    if (below + in_bin >= wanted) {
      return std::clamp(bin.low + (bin.high - bin.low) * (wanted - below) / in_bin, min_, max_);
    }
    below += in_bin;
  }
  return max_;
}

double Histogram::fraction_outside(double low, double high) const {
  if (count_ == 0) return 0;
  double inside = 0;
  for (const Bin& bin : bins()) inside += share(bin, low, high) * static_cast<double>(bin.count);
  return std::clamp(1 - inside / static_cast<double>(count_), 0.0, 1.0);
}

std::vector<double> Histogram::uniform(double low, double high, int num_bins) const {
  std::vector<double> result(static_cast<std::size_t>(num_bins), 0.0);
  const double width = (high - low) / num_bins;
  const auto place = [&](double value) {
    if (!(width > 0)) return 0;
    return static_cast<int>(std::clamp((value - low) / width, 0.0, static_cast<double>(num_bins - 1)));
  };
  for (const Bin& bin : bins()) {
    if (bin.high < low || bin.low > high) continue;
    const int first = place(bin.low);
    const int last = place(bin.high);
    for (int i = first; i <= last; ++i) {
      const double from = low + i * width;
      const double part = first == last ? share(bin, low, high) : share(bin, from, from + width);
      result[static_cast<std::size_t>(i)] += part * static_cast<double>(bin.count);
    }
  }
  return result;
}

}  // namespace adze
