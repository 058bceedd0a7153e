#include "adze/graph/infer.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"

namespace adze {

namespace {

bool eight_bits(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8 || dtype == DType::Undefined;
}

/// s8 or u8; s16 as well where the output has 16 bits.
void require_activations(const InferContext& context, std::size_t inputs) {
  const bool wide = context.node().get_int("y_dtype", 0) == static_cast<std::int64_t>(DType::S16);
  for (std::size_t i = 0; i < inputs; ++i) {
    if (!eight_bits(context.dtype(i)) && !(wide && context.dtype(i) == DType::S16)) {
      throw ModelError(
          cat("input ", i, " is ", dtype_name(context.dtype(i)), ", expected s8 or u8", wide ? ", or s16" : ""));
    }
  }
}

void require_weights(const InferContext& context) {
  if (!eight_bits(context.dtype(1))) {
    throw ModelError(cat("input 1 is ", dtype_name(context.dtype(1)), ", expected s8 or u8"));
  }
}

void require_bias(const InferContext& context, std::size_t input) {
  if (!context.has_input(input) || context.dtype(input) == DType::Undefined) return;
  const bool wide = context.dtype(0) == DType::S16 && context.dtype(input) == DType::S64;
  if (!wide && context.dtype(input) != DType::S32) {
    throw ModelError(cat("the bias is ", dtype_name(context.dtype(input)), ", expected s32",
                         context.dtype(0) == DType::S16 ? " or s64" : ""));
  }
}

/// The shape stays what the float operator's rule said; the dtype is y_dtype.
void set_output_dtype(InferContext& context) {
  const std::int64_t number = context.node().get_int("y_dtype");
  const auto dtype = static_cast<DType>(number);
  const bool known = number > 0 && number < num_dtypes && is_integer(dtype) && dtype_bits(dtype) <= 16;
  if (!known) throw ModelError(cat("attribute y_dtype = ", number, ", expected an 8- or 16-bit integer type"));
  context.set_output(0, dtype, context.output_types.empty() ? std::nullopt : context.output_types[0].shape);
}

void infer_q_conv(InferContext& context) {
  require_activations(context, 1);
  require_weights(context);
  require_bias(context, 2);
  neural::infer_conv(context);
  set_output_dtype(context);
}

void infer_q_gemm(InferContext& context) {
  require_activations(context, 1);
  require_weights(context);
  require_bias(context, 2);
  neural::require_rank(context, 1, 2);
  std::optional<SymbolicShape> output;
  if (context.shape(0) && context.shape(1)) {
    SymbolicShape w = *context.shape(1);
    if (context.node().get_int("transB") != 0) std::swap(w[0], w[1]);
    output = *context.shape(0);
    if (output->empty()) throw ModelError("a matrix product needs operands of rank 1 at least");
    neural::require_equal(output->back(), w[0], "inner dimensions of the product");
    output->back() = w[1];
    if (context.has_input(2) && context.shape(2)) {
      neural::require_rank(context, 2, 1);
      neural::require_equal((*context.shape(2))[0], w[1], "bias length and output channels");
    }
  }
  context.set_output(0, DType::S8, std::move(output));
  set_output_dtype(context);
}

void infer_q_matmul(InferContext& context) {
  require_activations(context, 2);
  neural::infer_matmul(context);
  set_output_dtype(context);
}

void infer_q_binary(InferContext& context) {
  require_activations(context, 2);
  std::optional<SymbolicShape> output;
  if (context.shape(0) && context.shape(1)) output = broadcast(*context.shape(0), *context.shape(1));
  context.set_output(0, DType::S8, std::move(output));
  set_output_dtype(context);
}

void infer_q_pool(InferContext& context) {
  require_activations(context, 1);
  neural::infer_pool(context);
  set_output_dtype(context);
}

void infer_q_reduce(InferContext& context) {
  require_activations(context, 1);
  std::optional<SymbolicShape> output;
  if (context.shape(0)) {
    const SymbolicShape& shape = *context.shape(0);
    const auto rank = static_cast<std::int64_t>(shape.size());
    std::vector<bool> reduced(shape.size(), false);
    for (const std::int64_t axis : context.node().get_ints("axes")) {
      reduced[static_cast<std::size_t>(normalize_axis(axis, rank))] = true;
    }
    const bool keep = context.node().get_int("keepdims") != 0;
    output.emplace();
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (!reduced[axis])
        output->push_back(shape[axis]);
      else if (keep)
        output->push_back(Dim(1));
    }
  }
  context.set_output(0, DType::S8, std::move(output));
  set_output_dtype(context);
}

void infer_q_unary(InferContext& context) {
  context.set_output(0, DType::S8, context.shape(0));
  set_output_dtype(context);
}

void infer_q_softmax(InferContext& context) {
  require_activations(context, 1);
  if (context.shape(0)) normalize_axis(context.node().get_int("axis"), *context.rank(0));
  infer_q_unary(context);
}

void infer_q_table(InferContext& context) {
  const bool wide = context.dtype(0) == DType::S16 && context.dtype(1) == DType::S16;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (!wide && !eight_bits(context.dtype(i))) {
      throw ModelError(cat("input ", i, " is ", dtype_name(context.dtype(i)), ", expected s8 or u8, or both s16"));
    }
  }
  const std::int64_t entries = wide ? 513 : 256;
  if (context.shape(1) && !compatible(*context.shape(1), {Dim(entries)})) {
    throw ModelError(cat("the table has shape ", shape_text(*context.shape(1)), ", expected [", entries, "]"));
  }
  context.set_output(0, context.dtype(1), context.shape(0));
}

}  // namespace

std::span<const InferEntry> adze_inference() {
  static constexpr InferEntry entries[] = {
      {OpKind::QAdd, infer_q_binary},        {OpKind::QAveragePool, infer_q_pool}, {OpKind::QConv, infer_q_conv},
      {OpKind::QGemm, infer_q_gemm},         {OpKind::QMatMul, infer_q_matmul},    {OpKind::QMul, infer_q_binary},
      {OpKind::QReduceMean, infer_q_reduce}, {OpKind::QRequantize, infer_q_unary}, {OpKind::QSoftmax, infer_q_softmax},
      {OpKind::QSub, infer_q_binary},        {OpKind::QTable, infer_q_table},
  };
  return entries;
}

}  // namespace adze
