#include "activation.h"

#include <algorithm>

namespace demo {

namespace {

constexpr int column_block = 512;

/// Rows × 4 values of a against 4 rows of b: each row of b is loaded once for all rows of c.
template <int Rows>
void multiply_block(const float* a, const float* b, float* c, int k, int n, int width) {
  for (int p = 0; p < k; p += 4) {
    const int depth = std::min(4, k - p);
    float w[Rows][4] = {};
    const float* in[4];
    for (int q = 0; q < 4; ++q) in[q] = b + static_cast<std::size_t>(p + std::min(q, depth - 1)) * n;
    for (int i = 0; i < Rows; ++i) {
      for (int q = 0; q < depth; ++q) w[i][q] = a[static_cast<std::size_t>(i) * k + p + q];
    }
    for (int j = 0; j < width; ++j) {
      const float x0 = in[0][j], x1 = in[1][j], x2 = in[2][j], x3 = in[3][j];
      for (int i = 0; i < Rows; ++i) {
        c[static_cast<std::size_t>(i) * n + j] += w[i][0] * x0 + w[i][1] * x1 + w[i][2] * x2 + w[i][3] * x3;
      }
    }
  }
}

template <int Rows>
void dot_block(const float* a, const float* b, float* c, int n, int k, int width) {
  for (int p = 0; p < k; ++p) {
    const float* right = b + static_cast<std::size_t>(p) * n;
    float sums[Rows] = {};
    for (int j = 0; j < width; ++j) {
      for (int i = 0; i < Rows; ++i) sums[i] += a[static_cast<std::size_t>(i) * n + j] * right[j];
    }
    for (int i = 0; i < Rows; ++i) c[static_cast<std::size_t>(i) * k + p] += sums[i];
  }
}

}  // namespace

void multiply(const float* a, const float* b, float* c, int m, int k, int n, bool accumulate) {
  if (!accumulate) std::fill(c, c + static_cast<std::size_t>(m) * n, 0.0F);
  for (int begin = 0; begin < n; begin += column_block) {
    const int width = std::min(column_block, n - begin);
    int i = 0;
    for (; i + 4 <= m; i += 4) {
      multiply_block<4>(a + static_cast<std::size_t>(i) * k, b + begin, c + static_cast<std::size_t>(i) * n + begin, k,
                        n, width);
    }
    for (; i < m; ++i) {
      multiply_block<1>(a + static_cast<std::size_t>(i) * k, b + begin, c + static_cast<std::size_t>(i) * n + begin, k,
                        n, width);
    }
  }
}

void multiply_transposed(const float* a, const float* b, float* c, int m, int n, int k) {
  for (int begin = 0; begin < n; begin += column_block) {
    const int width = std::min(column_block, n - begin);
    int i = 0;
    for (; i + 4 <= m; i += 4) {
      dot_block<4>(a + static_cast<std::size_t>(i) * n + begin, b + begin, c + static_cast<std::size_t>(i) * k, n, k,
                   width);
    }
    for (; i < m; ++i) {
      dot_block<1>(a + static_cast<std::size_t>(i) * n + begin, b + begin, c + static_cast<std::size_t>(i) * k, n, k,
                   width);
    }
  }
}

}  // namespace demo
