#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"

namespace adze::neural {

namespace {

/// NumPy matmul: rank 1 gains a dimension for the product, batch dimensions broadcast.
SymbolicShape matmul_shape(SymbolicShape a, SymbolicShape b) {
  if (a.empty() || b.empty()) throw ModelError("a matrix product needs operands of rank 1 at least");
  const bool a_is_vector = a.size() == 1, b_is_vector = b.size() == 1;
  if (a_is_vector) a.insert(a.begin(), Dim(1));
  if (b_is_vector) b.push_back(Dim(1));
  if (a.back().is_known() && b[b.size() - 2].is_known() && a.back().value != b[b.size() - 2].value) {
    throw ModelError(cat("operands ", shape_text(a), " and ", shape_text(b), " cannot be multiplied"));
  }
  SymbolicShape result = broadcast(SymbolicShape(a.begin(), a.end() - 2), SymbolicShape(b.begin(), b.end() - 2));
  if (!a_is_vector) result.push_back(a[a.size() - 2]);
  if (!b_is_vector) result.push_back(b.back());
  return result;
}

void infer_product(InferContext& context, DType dtype) {
  if (!context.shape(0) || !context.shape(1)) return context.set_output(0, dtype);
  context.set_output(0, dtype, matmul_shape(*context.shape(0), *context.shape(1)));
}

}  // namespace

void infer_gemm(InferContext& context) {
  require_rank(context, 0, 2);
  require_rank(context, 1, 2);
  SymbolicShape a = context.shape(0).value_or(unknown_dims(2));
  SymbolicShape b = context.shape(1).value_or(unknown_dims(2));
  if (context.node().get_int("transA") != 0) std::swap(a[0], a[1]);
  if (context.node().get_int("transB") != 0) std::swap(b[0], b[1]);
  require_equal(a[1], b[0], "inner dimensions of the product");
  SymbolicShape output = {a[0], b[1]};
  if (context.has_input(2) && context.shape(2)) {
    const SymbolicShape& c = *context.shape(2);
    if (c.size() > 2) throw ModelError(cat("C has shape ", shape_text(c), ", expected rank 2 at most"));
    for (std::size_t i = 0; i < c.size(); ++i) {
      const Dim& dim = c[c.size() - 1 - i];
      if (dim != Dim(1)) require_equal(dim, output[1 - i], "C and the product must broadcast");
    }
  }
  context.set_output(0, first_dtype(context, {0, 1, 2}), std::move(output));
}

void infer_matmul(InferContext& context) {
  infer_product(context, first_dtype(context, {0, 1}));
}

void infer_matmul_integer(InferContext& context) {
  infer_product(context, DType::S32);
}

}  // namespace adze::neural
