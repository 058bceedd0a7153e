#pragma once

#include <cstddef>
#include <vector>

namespace demo {

/// Feature maps of a batch, channel by channel: [C][B·H·W], so that a convolution is one matrix product and a batch
/// norm works on contiguous rows.
struct Activation {
  int channels = 0;
  int batch = 0;
  int height = 0;
  int width = 0;
  std::vector<float> values;

  Activation() = default;
  Activation(int c, int b, int h, int w)
      : channels(c), batch(b), height(h), width(w), values(static_cast<std::size_t>(c) * b * h * w) {}
  int columns() const { return batch * height * width; }
  float* row(int c) { return values.data() + static_cast<std::size_t>(c) * columns(); }
  const float* row(int c) const { return values.data() + static_cast<std::size_t>(c) * columns(); }
};

/// c[m, n] = (or +=) Σ a[m, k]·b[k, n], all row-major.
void multiply(const float* a, const float* b, float* c, int m, int k, int n, bool accumulate);
/// c[m, k] += Σ a[m, n]·b[k, n].
void multiply_transposed(const float* a, const float* b, float* c, int m, int n, int k);

}  // namespace demo
