// Where: a choice between two operands, element by element.
#include <algorithm>
#include <array>

#include "adze/engine/steps/copies.h"

namespace adze::engine {

namespace {

constexpr std::int64_t element_grain = 1 << 14;
constexpr std::size_t operands = 3;

/// The output's dimensions with the operands' strides, 0 where one is repeated; neighbours that continue each other are
/// merged.
struct Dimension {
  std::int64_t size;
  std::array<std::int64_t, operands> strides;
};

std::vector<Dimension> dimensions_of(const BindContext& context) {
  const Shape y = context.output_shape();
  std::vector<Dimension> dimensions;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 1) continue;
    Dimension next{y[i], {}};
    bool continues = !dimensions.empty();
    for (std::size_t k = 0; k < operands; ++k) {
      const Shape shape = context.shape(k);
      const std::size_t missing = y.size() - shape.size();
      if (i >= missing && shape[i - missing] != 1) next.strides[k] = row_major_strides(shape)[i - missing];
      continues = continues && dimensions.back().strides[k] == next.strides[k] * next.size;
    }
    if (continues) {
      dimensions.back() = {dimensions.back().size * next.size, next.strides};
    } else {
      dimensions.push_back(next);
    }
  }
  if (dimensions.empty()) dimensions.push_back({1, {}});
  return dimensions;
}

template <typename T>
struct WhereRows {
  const std::uint8_t* condition;
  const T *yes, *no;
  T* y;
  std::vector<Dimension> outer;
  Dimension inner;

  void run(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t row = begin; row < end; ++row) {
      std::array<std::int64_t, operands> at{};
      std::int64_t rest = row;
      for (std::size_t d = outer.size(); d-- > 0;) {
        for (std::size_t k = 0; k < operands; ++k) at[k] += rest % outer[d].size * outer[d].strides[k];
        rest /= outer[d].size;
      }
      choose(condition + at[0], yes + at[1], no + at[2], y + row * inner.size);
    }
  }
  void choose(const std::uint8_t* c, const T* a, const T* b, T* to) const {
    const auto [c_step, a_step, b_step] = inner.strides;
    for (std::int64_t i = 0; i < inner.size; ++i) {
      const T left = a[i * a_step], right = b[i * b_step];
      to[i] = c[i * c_step] != 0 ? left : right;
    }
  }
};

template <typename T>
std::unique_ptr<Step> where_step(const BindContext& context) {
  std::vector<Dimension> dimensions = dimensions_of(context);
  const Dimension inner = dimensions.back();
  dimensions.pop_back();
  std::int64_t rows = 1;
  for (const Dimension& dimension : dimensions) rows *= dimension.size;
  const int threads = context.threads();
  const std::int64_t grain = std::max<std::int64_t>(1, element_grain / inner.size);
  const auto data = [&](std::size_t i) { return reinterpret_cast<const T*>(context.in_bytes(i)); };
  return make_step("where", [=, where = WhereRows<T>{context.in_u8(0), data(1), data(2), context.out<T>(),
                                                     std::move(dimensions), inner}] {
    run_parallel(threads, rows, grain, [&](std::int64_t begin, std::int64_t end) { where.run(begin, end); });
  });
}

}  // namespace

std::unique_ptr<Step> bind_where(const BindContext& context) {
  if (context.dtype(1) != context.dtype(2)) return nullptr;
  switch (dtype_bits(context.dtype(1))) {
    case 8:
      return where_step<std::uint8_t>(context);
    case 16:
      return where_step<std::uint16_t>(context);
    case 32:
      return where_step<std::uint32_t>(context);
    case 64:
      return where_step<std::uint64_t>(context);
    default:
      return nullptr;
  }
}

}  // namespace adze::engine
