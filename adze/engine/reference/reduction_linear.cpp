// Einsum and determinants.
#include <algorithm>
#include <cmath>
#include <map>

#include "adze/base/progress.h"
#include "adze/engine/reference/detail/reduction.h"
#include "adze/graph/einsum.h"

namespace adze::reference::detail {

namespace {

using Sizes = std::map<int, std::int64_t>;

/// An operand of an einsum on its way: elements with one label a dimension.
template <typename C>
struct Labelled {
  std::vector<int> labels;
  Shape shape;
  std::vector<C> elements;
};

/// Steps through the operand for one step of each label; a dimension of size 1 repeats, a label met twice walks the
/// diagonal.
template <typename C>
Shape label_strides(const Labelled<C>& operand, const std::vector<int>& labels) {
  const Shape own = row_major_strides(operand.shape);
  Shape strides(labels.size(), 0);
  for (std::size_t i = 0; i < operand.labels.size(); ++i) {
    const auto at = std::find(labels.begin(), labels.end(), operand.labels[i]) - labels.begin();
    if (operand.shape[i] != 1) strides[static_cast<std::size_t>(at)] += own[i];
  }
  return strides;
}

template <typename C>
C product(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    return a * b;
  } else {
    return static_cast<C>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
}

/// The product of two operands, summed over every label that is not kept.
template <typename C>
Labelled<C> contract(const Labelled<C>& a, const Labelled<C>& b, const std::vector<int>& kept, const Sizes& sizes) {
  std::vector<int> labels = kept;
  for (const auto* operand : {&a, &b}) {
    for (const int label : operand->labels) {
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
  }
  Shape shape;
  for (const int label : labels) shape.push_back(sizes.at(label));
  Labelled<C> out{kept, Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(kept.size())), {}};
  out.elements.assign(count_to_compute(out.shape), C(0));
  const std::int64_t steps = num_elements(shape);
  StridedWalk<3> walk(shape, {label_strides(a, labels), label_strides(b, labels), label_strides(out, labels)});
  for (std::int64_t i = 0; i < steps; ++i) {
    constexpr std::int64_t steps_between_checks = 1 << 20;
    if (i % steps_between_checks == 0) check_cancelled();
    const C term = product(a.elements[static_cast<std::size_t>(walk.offset(0))],
                           b.elements[static_cast<std::size_t>(walk.offset(1))]);
    C& sum = out.elements[static_cast<std::size_t>(walk.offset(2))];
    if constexpr (std::is_floating_point_v<C>) {
      sum += term;
    } else {
      sum = static_cast<C>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(term));
    }
    walk.next();
  }
  return out;
}

Sizes label_sizes(const Context& context, const EinsumEquation& equation) {
  Sizes sizes;
  for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
    for (std::size_t k = 0; k < equation.inputs[i].size(); ++k) {
      const std::int64_t dim = context.input(i).shape()[k];
      std::int64_t& size = sizes.try_emplace(equation.inputs[i][k], 1).first->second;
      if (size != 1 && dim != 1 && size != dim) {
        throw ModelError(cat("a label of the equation stands for ", size, " and for ", dim));
      }
      if (dim != 1) size = dim;
    }
  }
  return sizes;
}

/// The operands are contracted from the left, two at a time.
void run_einsum(Context& context) {
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) {
    ranks.push_back(context.input(i).shape().size());
    if (context.input(i).dtype() != context.input(0).dtype()) throw ModelError("inputs have different types");
  }
  const EinsumEquation equation = parse_einsum(context.node().get_string("equation"), ranks);
  const Sizes sizes = label_sizes(context, equation);
  const DType dtype = context.input(0).dtype();
  visit_compute(dtype, [&](auto tag) {
    using C = typename decltype(tag)::type;
    Labelled<C> result{{}, {}, {C(1)}};
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      const Labelled<C> next{equation.inputs[i], context.input(i).shape(), load<C>(context.input(i))};
      std::vector<int> kept = equation.output;
      const bool is_last = i + 1 == ranks.size();
      if (!is_last) {
        // What the output or an operand to come still needs, and is here.
        kept.clear();
        for (const auto& [label, size] : sizes) {
          const auto has = [label = label](const std::vector<int>& labels) {
            return std::find(labels.begin(), labels.end(), label) != labels.end();
          };
          const bool here = has(result.labels) || has(next.labels);
          const bool later =
              has(equation.output) ||
              std::any_of(equation.inputs.begin() + static_cast<std::ptrdiff_t>(i) + 1, equation.inputs.end(), has);
          if (here && later) kept.push_back(label);
        }
      }
      result = contract(result, next, kept, sizes);
    }
    context.set(0, store<C>(dtype, result.shape, result.elements));
  });
}

/// The determinant of an n × n matrix, which is used up. Gaussian elimination with partial pivoting.
double determinant(std::span<double> matrix, std::size_t n) {
  double result = 1;
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row * n + column]) > std::abs(matrix[pivot * n + column])) pivot = row;
    }
    if (matrix[pivot * n + column] == 0) return 0;
    if (pivot != column) {
      std::swap_ranges(matrix.begin() + static_cast<std::ptrdiff_t>(pivot * n),
                       matrix.begin() + static_cast<std::ptrdiff_t>(pivot * n + n),
                       matrix.begin() + static_cast<std::ptrdiff_t>(column * n));
      result = -result;
    }
    result *= matrix[column * n + column];
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row * n + column] / matrix[column * n + column];
      for (std::size_t k = column; k < n; ++k) matrix[row * n + k] -= factor * matrix[column * n + k];
    }
  }
  return result;
}

void run_det(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t rank = input.rank();
  if (rank < 2 || input.dim(rank - 1) != input.dim(rank - 2)) {
    throw ModelError(cat("expected square matrices, found ", shape_text(input.shape())));
  }
  std::vector<double> elements = load_floats(input);
  const auto n = static_cast<std::size_t>(input.dim(rank - 1));
  const Shape batch(input.shape().begin(), input.shape().end() - 2);
  std::vector<double> out(count_to_compute(batch));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = determinant(std::span(elements).subspan(i * n * n, n * n), n);
  context.set(0, store(input.dtype(), batch, out));
}

constexpr KernelEntry table[] = {{OpKind::Det, run_det}, {OpKind::Einsum, run_einsum}};

}  // namespace

std::span<const KernelEntry> linear_kernels() {
  return table;
}

}  // namespace adze::reference::detail
