#include "tests/kernels/gemm_s8_problem.h"

#include <memory>
#include <new>

namespace adze::kernel_test {

GemmS8Problem::GemmS8Problem(Random& random, std::int64_t most_rows, std::int64_t most_columns, std::int64_t most_quads)
    : columns_(pick(random, 1, most_columns)), step_(pick(random, 1, 70)), in_fours_(random.below(2) == 0) {
  const std::int64_t row_count = pick(random, 1, most_rows), quads = pick(random, 1, most_quads);
  stride_ = columns_ + (random.below(2) == 0 ? 0 : pick(random, 1, 9));
  x_ = random_bytes(DType::U8, {(row_count + 3) * step_ + 8 + 4 * std::max<std::int64_t>(quads, 64)}, random);
  w_ = random_bytes(DType::S8, {(columns_ + 15) / 16 * 64 * quads}, random);
  place_rows(random, row_count);
  place_quads(random, quads);
  make_tail(random);
  if (random.below(3) != 0) return;
  for (std::int64_t r = 0; r < row_count; ++r) {
    row_terms_.push_back(static_cast<std::int32_t>(pick(random, -5000, 5000)));
  }
}

void GemmS8Problem::place_rows(Random& random, std::int64_t row_count) {
  const bool anywhere = !in_fours_ && random.below(2) == 0;
  for (std::int64_t r = 0; r < row_count; ++r) {
    const std::int64_t at = in_fours_  ? r / 4 * 4 * step_ + r / 4 % 2 + r % 4 * step_
                            : anywhere ? pick(random, 0, row_count * step_)
                                       : r * step_;
    rows_.push_back(x_.data<std::uint8_t>().data() + at);
  }
}

/// Stretches side by side, or anywhere; or one stretch.
void GemmS8Problem::place_quads(Random& random, std::int64_t quads) {
  const bool one_stretch = quads > 64 || random.below(3) == 0;
  for (std::int64_t q = 0; q < quads; ++q) {
    const bool next = q > 0 && (one_stretch || (offsets_.back() < 250 && random.below(5) != 0));
    offsets_.push_back(next ? offsets_.back() + 4 : one_stretch ? 0 : static_cast<std::int32_t>(pick(random, 0, 256)));
  }
}

void GemmS8Problem::make_tail(Random& random) {
  const auto profile = static_cast<RoundingProfile>(random.below(3));
  const auto lanes = static_cast<std::size_t>(columns_ + 16);
  const RequantizeParameters by = make_requantize(profile, std::exp2(random.uniform(-14.0, 1.0)));
  bias_.assign(lanes, static_cast<std::int32_t>(pick(random, -3000, 3000)));
  for (std::int32_t& bias : bias_) bias += static_cast<std::int32_t>(pick(random, -300, 300));
  multiplier_.assign(lanes, by.fixed.multiplier);
  shift_.assign(lanes, by.fixed.shift);
  scale_.assign(lanes, by.scale);
  for (float& one : scale_) one *= static_cast<float>(random.uniform(0.3, 1.0));
  const bool plain = random.below(3) == 0, middle = !plain && random.below(2) == 0;
  const auto low = static_cast<std::int32_t>(plain    ? 0
                                             : middle ? (random.below(2) == 0 ? 0 : -128)
                                                      : pick(random, -128, 30));
  const auto zero_point = static_cast<std::int32_t>(plain ? 0 : middle ? low + 128 : pick(random, low, 100));
  const auto high = plain || middle ? low + 255 : low + static_cast<std::int32_t>(pick(random, 1, 97));
  stage_ = {static_cast<std::int32_t>(profile),
            zero_point,
            low,
            high,
            bias_.data(),
            multiplier_.data(),
            shift_.data(),
            scale_.data(),
            by.scale < 1.0f};
}

std::vector<std::uint8_t> GemmS8Problem::run(kernels::GemmS8 kernel, std::int64_t tiles_together) const {
  std::vector<std::uint8_t> y(static_cast<std::size_t>(row_count() * stride_), 77);
  run(kernel, tiles_together, y.data(), nullptr);
  return y;
}

std::vector<std::int32_t> GemmS8Problem::run_sums(kernels::GemmS8 kernel, std::int64_t tiles_together) const {
  std::vector<std::int32_t> sums(static_cast<std::size_t>(row_count() * stride_), 77);
  run(kernel, tiles_together, nullptr, sums.data());
  return sums;
}

void GemmS8Problem::run(kernels::GemmS8 kernel, std::int64_t tiles_together, std::uint8_t* y,
                        std::int32_t* sums) const {
  const auto quads = static_cast<std::int64_t>(offsets_.size());
  kernels::GemmS8Scratch needs = kernels::gemm_s8_scratch(row_count(), columns_, quads);
  if (tiles_together != 0) needs = {tiles_together, needs.bytes / needs.tiles_together * tiles_together};
  struct Line {
    alignas(64) std::uint8_t bytes[64];
  };
  std::vector<Line> scratch(static_cast<std::size_t>(needs.bytes / 64));
  kernel({rows_.data(), row_count(), offsets_.data(), quads, w_.data<std::int8_t>().data(), columns_, &stage_, y,
          stride_, in_fours_ ? step_ : 0, needs.tiles_together, scratch.data()->bytes,
          row_terms_.empty() ? nullptr : row_terms_.data(), sums});
}

std::string GemmS8Problem::describe() const {
  return std::to_string(row_count()) + " rows, " + std::to_string(columns_) + " columns, " +
         std::to_string(offsets_.size()) + " quads, in fours " + std::to_string(static_cast<int>(in_fours_));
}

}  // namespace adze::kernel_test
