#include <algorithm>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

/// c[m, n] = Σ_k a[m, k] · b[k, n]
template <typename T>
void multiply(const T* a, const T* b, T* c, std::int64_t m, std::int64_t k, std::int64_t n) {
  for (std::int64_t i = 0; i < m; ++i) {
    check_cancelled();
    for (std::int64_t l = 0; l < k; ++l) {
      const T factor = a[i * k + l];
      for (std::int64_t j = 0; j < n; ++j) c[i * n + j] += factor * b[l * n + j];
    }
  }
}

/// Offset of batch element `index` in an operand whose batch dimensions broadcast to it.
std::int64_t batch_offset(const Shape& index, const Shape& batch) {
  std::int64_t offset = 0;
  const std::size_t skipped = index.size() - batch.size();
  for (std::size_t i = 0; i < batch.size(); ++i) offset = offset * batch[i] + (batch[i] == 1 ? 0 : index[skipped + i]);
  return offset;
}

template <typename T>
std::vector<T> matrix_product(Shape a_shape, Shape b_shape, const std::vector<T>& a, const std::vector<T>& b) {
  if (a_shape.size() == 1) a_shape.insert(a_shape.begin(), 1);
  if (b_shape.size() == 1) b_shape.push_back(1);
  const Shape a_batch = part(a_shape, 0, a_shape.size() - 2), b_batch = part(b_shape, 0, b_shape.size() - 2);
  const Shape batch = broadcast_shapes(a_batch, b_batch);
  const std::int64_t m = a_shape[a_shape.size() - 2], k = a_shape.back(), n = b_shape.back();
  Shape whole = batch;
  whole.insert(whole.end(), {m, n});
  std::vector<T> c(detail::count_to_compute(whole));
  if (c.empty()) return c;
  Shape index(batch.size(), 0);
  T* to = c.data();
  do {
    multiply(a.data() + batch_offset(index, a_batch) * m * k, b.data() + batch_offset(index, b_batch) * k * n, to, m, k,
             n);
    to += m * n;
  } while (next_index(index, batch));
  return c;
}

std::vector<std::uint64_t> wrapping(const Tensor& tensor) {
  const Tensor wide = converted(tensor, DType::U64);
  const auto data = wide.data<std::uint64_t>();
  return {data.begin(), data.end()};
}

/// Elements less the zero point: one for all, or one for each row (of A) or column (of B).
std::vector<std::int64_t> less_zero_point(const Tensor& tensor, const Tensor* zero_point, bool rows) {
  std::vector<std::int64_t> values = to_ints(tensor);
  if (zero_point == nullptr || tensor.empty()) return values;
  const std::int64_t columns = tensor.shape().back();
  const std::int64_t height = tensor.rank() > 1 ? tensor.dim(tensor.rank() - 2) : 1;
  const std::int64_t per_matrix = rows ? height : columns;
  const std::int64_t matrices = tensor.size() / (height * columns);
  const std::int64_t count = zero_point->size();
  if (count != 1 && count != per_matrix && count != per_matrix * matrices) {
    throw ModelError(cat("zero point ", type_text(*zero_point), " does not fit ", type_text(tensor)));
  }
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const std::int64_t line = rows ? i / columns % height : i % columns;
    const std::int64_t at = i / (height * columns) * per_matrix + line;
    values[static_cast<std::size_t>(i)] -= zero_point->get_int(at % count);
  }
  return values;
}

template <typename T>
std::vector<T> transposed(const std::vector<T>& matrix, std::int64_t rows, std::int64_t columns) {
  std::vector<T> result(matrix.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      result[static_cast<std::size_t>(j * rows + i)] = matrix[static_cast<std::size_t>(i * columns + j)];
    }
  }
  return result;
}

/// op(A) · op(B) of matrices.
template <typename T>
std::vector<T> transposing_product(const Node& node, const Tensor& a, const Tensor& b, std::vector<T> x,
                                   std::vector<T> y) {
  Shape a_shape = a.shape(), b_shape = b.shape();
  if (node.get_int("transA") != 0) {
    x = transposed(x, a.dim(0), a.dim(1));
    std::swap(a_shape[0], a_shape[1]);
  }
  if (node.get_int("transB") != 0) {
    y = transposed(y, b.dim(0), b.dim(1));
    std::swap(b_shape[0], b_shape[1]);
  }
  return matrix_product(a_shape, b_shape, x, y);
}

}  // namespace

void matmul(Context& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  if (a.dtype() != b.dtype()) throw ModelError(cat("operands are ", type_text(a), " and ", type_text(b)));
  const Shape shape = checked_shape(context);
  if (is_integer(a.dtype())) {  // wraps around, as integers of the result's width do
    const auto c = matrix_product(a.shape(), b.shape(), wrapping(a), wrapping(b));
    context.set(0, converted(Tensor::from<std::uint64_t>(shape, c), a.dtype()));
  } else {
    const auto c = matrix_product(a.shape(), b.shape(), to_doubles(a), to_doubles(b));
    context.set(0, from_doubles(a.dtype(), shape, c));
  }
}

void matmul_integer(Context& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const Shape shape = checked_shape(context);
  const auto x = less_zero_point(a, context.optional_input(2), true);
  const auto y = less_zero_point(b, context.optional_input(3), false);
  context.set(0, from_integers(DType::S32, shape, matrix_product(a.shape(), b.shape(), x, y)));
}

/// y = alpha · op(A) · op(B) + beta · C
void gemm(Context& context) {
  const Node& node = context.node();
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const Shape shape = checked_shape(context);
  const double alpha = node.get_float("alpha"), beta = node.get_float("beta");
  std::vector<double> y;
  if (is_integer(a.dtype())) {
    const auto sums = transposing_product(node, a, b, wrapping(a), wrapping(b));
    for (const std::uint64_t sum : sums) y.push_back(static_cast<double>(static_cast<std::int64_t>(sum)));
  } else {
    y = transposing_product(node, a, b, to_doubles(a), to_doubles(b));
  }
  std::vector<double> c;
  Shape c_shape;
  if (const Tensor* addend = context.optional_input(2)) {
    c = to_doubles(*addend);
    c_shape = addend->shape();
    c_shape.insert(c_shape.begin(), 2 - c_shape.size(), 1);
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] *= alpha;
    if (c.empty()) continue;
    const auto at = static_cast<std::int64_t>(i);
    const std::int64_t row = c_shape[0] == 1 ? 0 : at / shape[1], column = c_shape[1] == 1 ? 0 : at % shape[1];
    y[i] += beta * c[static_cast<std::size_t>(row * c_shape[1] + column)];
  }
  context.set(0, from_doubles(a.dtype(), shape, y));
}

}  // namespace adze::reference::neural
