#include "adze/emit/c/work.h"

#include <algorithm>
#include <cmath>

namespace adze::emit {

namespace {

double number(std::int64_t value) {
  return static_cast<double>(value);
}

/// One call that computes `rows` rows.
double call_work(const std::string& kernel, const WindowWalk& walk, std::int64_t products, std::int64_t rows) {
  const double pixels = number(rows * walk.out_w), channels = number(walk.out_c), sums = pixels * channels;
  const double depth = number(products);
  const double rows_in = number((rows - 1) * walk.stride_h + walk.dilation_h * (walk.kernel_h - 1) + 1);
  const double bytes_in = rows_in * number(walk.in_w * walk.in_c);
  if (kernel == "adze_conv_s8_dsp") {  // four pixels and two channels a pass: 13 instructions for 16 products
    const double blocks = std::ceil(pixels / 4.0);
    return blocks * channels * (3.25 * depth + 52.0) + 1.2 * blocks * 4.0 * depth + 2.2 * depth + 100.0;
  }
  if (kernel == "adze_conv_s8_mve") {  // two pixels and four channels a pass: 13 for 128
    return 2.0 * std::ceil(pixels / 2.0) * channels * (depth * 13.0 / 128.0 + 3.0) + 0.3 * pixels * depth + 100.0;
  }
  if (kernel == "adze_depthwise_3x3_s8_dsp") {  // rows are turned, weights prepared, then three rows summed
    return 2.1 * bytes_in + 15.0 * sums + channels * (45.0 + 25.0 * number(rows));
  }
  if (kernel == "adze_depthwise_s8_dsp") return 0.4 * bytes_in + sums * (1.3 * depth + 8.0) + 100.0;
  if (kernel == "adze_depthwise_s8_mve") return 0.2 * bytes_in + sums * (0.5 * depth + 3.0) + 100.0;
  if (kernel == "adze_depthwise_3x3_s8_mve") {  // rows are turned; then two rows of a channel, or every second one
    const double turning = 0.6 * bytes_in + channels * 0.5 * number(walk.out_w * walk.stride_w);
    if (walk.stride_h > 1) {
      return turning + number(rows) * channels * (35.0 + 21.0 * std::ceil(number(walk.out_w) / 4.0)) + 100.0;
    }
    return turning + number((rows + 1) / 2) * channels * (40.0 + 18.0 * std::ceil(number(walk.out_w) / 2.0)) + 100.0;
  }
  return sums * (3.0 * depth + 10.0) + 50.0;
}

}  // namespace

std::function<double(std::int64_t band)> window_work(const std::string& kernel, const WindowWalk& walk,
                                                     std::int64_t products) {
  return [=](std::int64_t band) {
    if (band <= 0 || band >= walk.out_h) return call_work(kernel, walk, products, walk.out_h);
    const std::int64_t rest = walk.out_h % band;
    const double whole = number(walk.out_h / band) * call_work(kernel, walk, products, band);
    return rest == 0 ? whole : whole + call_work(kernel, walk, products, rest);
  };
}

std::function<double(std::int64_t band)> element_work(double instructions) {
  return [=](std::int64_t) { return instructions; };
}

}  // namespace adze::emit
