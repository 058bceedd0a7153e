// QMatMul, MatMulInteger: products of two quantized activations.
#include "adze/engine/reference/values.h"
#include "adze/engine/steps/product_s8.h"
#include "adze/engine/steps/sums_s8.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

/// The strides of a tensor whose axes are taken in another order; perm empty: as they are.
std::vector<std::int64_t> strides_of(const Shape& shape, const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> strides(shape.size()), result;
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  if (perm.empty()) return strides;
  for (const std::int64_t axis : perm) result.push_back(strides[static_cast<std::size_t>(axis)]);
  return result;
}

Shape permuted(const Shape& shape, const std::vector<std::int64_t>& perm) {
  if (perm.empty()) return shape;
  Shape result;
  for (const std::int64_t axis : perm) result.push_back(shape[static_cast<std::size_t>(axis)]);
  return result;
}

/// Where each of the batch's matrices starts; own axes of one element serve all.
std::vector<std::int64_t> matrix_offsets(const Shape& batch, const Shape& own,
                                         const std::vector<std::int64_t>& strides) {
  const std::size_t missing = batch.size() - (own.size() - 2);
  std::vector<std::int64_t> offsets;
  Shape index(batch.size(), 0);
  do {
    std::int64_t offset = 0;
    for (std::size_t i = missing; i < batch.size(); ++i) {
      if (own[i - missing] != 1) offset += index[i] * strides[i - missing];
    }
    offsets.push_back(offset);
  } while (reference::next_index(index, batch));
  return offsets;
}

/// An operand, its shape and the strides of its axes; a vector becomes a matrix.
struct Operand {
  Shape shape;
  std::vector<std::int64_t> strides;

  Operand(const Shape& stored, const std::vector<std::int64_t>& perm)
      : shape(permuted(stored, perm)), strides(strides_of(stored, perm)) {}
  std::int64_t rows() const { return shape[shape.size() - 2]; }
  Shape batch() const { return Shape(shape.begin(), shape.end() - 2); }
};

ByteMatrices matrices_of(const BindContext& context, std::size_t input, const Operand& operand, const Shape& batch) {
  ByteMatrices matrices;
  matrices.data = context.in_u8(input);
  matrices.row_step = operand.strides[operand.strides.size() - 2];
  matrices.column_step = operand.strides.back();
  matrices.offsets = matrix_offsets(batch, operand.shape, operand.strides);
  matrices.is_signed = context.dtype(input) == DType::S8;
  matrices.constant = context.constant(input) != nullptr;
  return matrices;
}

/// NumPy's product of the first two inputs, whose result lies row by row. Zero points and the result's place are open.
ProductS8Problem matmul_problem(const BindContext& context) {
  Shape left_shape = context.shape(0), right_shape = context.shape(1);
  if (left_shape.size() == 1) left_shape.insert(left_shape.begin(), 1);
  if (right_shape.size() == 1) right_shape.push_back(1);
  const Operand left(left_shape, {}), right(right_shape, {});
  const Shape batch = broadcast_shapes(left.batch(), right.batch());
  ProductS8Problem problem;
  problem.rows = left.rows();
  problem.depth = left.shape.back();
  problem.columns = right.shape.back();
  problem.left = matrices_of(context, 0, left, batch);
  problem.right = matrices_of(context, 1, right, batch);
  problem.y_row_step = problem.columns;
  for (std::int64_t i = 0; i < num_elements(batch); ++i) {
    problem.y_offsets.push_back(i * problem.rows * problem.columns);
  }
  return problem;
}

}  // namespace

std::unique_ptr<Step> bind_quantized_matmul(const BindContext& context) {
  const Node& node = context.node();
  if (!is_byte(context.dtype(0)) || !is_byte(context.dtype(1)) || !is_byte(context.output_dtype())) return nullptr;
  ProductS8Problem problem = matmul_problem(context);
  problem.left.zero_point = left_affine(node).zero_point;
  problem.right.zero_point = right_affine(node).zero_point;
  problem.y = context.out<std::uint8_t>();
  const StageArrays stage(requantize_parameters(node, problem.columns),
                          std::vector<std::int32_t>(static_cast<std::size_t>(problem.columns), 0), output_affine(node));
  return make_product_s8_step(context, std::move(problem), stage);
}

std::unique_ptr<Step> bind_integer_matmul(const BindContext& context) {
  if (!is_byte(context.dtype(0)) || !is_byte(context.dtype(1)) || context.node().has(sums_scaled)) return nullptr;
  for (const std::size_t i : {2u, 3u}) {
    if (context.has(i) && num_elements(context.shape(i)) != 1) return nullptr;
  }
  ProductS8Problem problem = matmul_problem(context);
  if (context.has(2)) problem.left.zero_point_at = context.in_bytes(2);
  if (context.has(3)) problem.right.zero_point_at = context.in_bytes(3);
  problem.sums = context.out<std::int32_t>();
  const auto columns = static_cast<std::size_t>(problem.columns);
  const StageArrays stage(std::vector<RequantizeParameters>(columns), std::vector<std::int32_t>(columns, 0), {});
  return make_product_s8_step(context, std::move(problem), stage);
}

}  // namespace adze::engine
