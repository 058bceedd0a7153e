#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"
#include "adze/graph/infer/various.h"

namespace adze::various {

namespace {

DType dtype_attribute(const InferContext& context, std::string_view attribute, DType fallback) {
  const std::int64_t number = context.node().get_int(attribute, static_cast<std::int64_t>(fallback));
  if (number < 0 || number >= num_dtypes) throw ModelError(cat("attribute ", attribute, " is ", number));
  return static_cast<DType>(number);
}

DType float_attribute(const InferContext& context, std::string_view attribute, DType fallback) {
  const DType dtype = dtype_attribute(context, attribute, fallback);
  if (dtype != DType::Undefined && !is_float(dtype)) {
    throw ModelError(cat("attribute ", attribute, " is ", dtype_name(dtype), ", expected a float type"));
  }
  return dtype;
}

/// attribute dtype, else the input's.
DType like_dtype(const InferContext& context) {
  if (context.node().has("dtype")) return dtype_attribute(context, "dtype", DType::F32);
  return context.dtype(0);
}

}  // namespace

void infer_random(InferContext& context) {
  const auto shape = context.node().get_ints("shape");
  num_elements(shape);
  context.set_output(0, float_attribute(context, "dtype", DType::F32), symbolic(shape));
}

void infer_random_like(InferContext& context) {
  const DType dtype = like_dtype(context);
  if (dtype != DType::Undefined && !is_float(dtype))
    throw ModelError(cat("dtype is ", dtype_name(dtype), ", expected a float type"));
  context.set_output(0, dtype, context.shape(0));
}

void infer_bernoulli(InferContext& context) {
  context.set_output(0, like_dtype(context), context.shape(0));
}

void infer_multinomial(InferContext& context) {
  neural::require_rank(context, 0, 2);
  const std::int64_t samples = context.node().get_int("sample_size");
  if (samples < 1) throw ModelError(cat("sample_size is ", samples, "; the least is 1"));
  const DType dtype = dtype_attribute(context, "dtype", DType::S32);
  if (dtype != DType::S32 && dtype != DType::S64) throw ModelError("dtype must be 6 (s32) or 7 (s64)");
  context.set_output(0, dtype, SymbolicShape{context.shape(0) ? (*context.shape(0))[0] : Dim(), Dim(samples)});
}

void infer_recurrent(InferContext& context) {
  const Node& node = context.node();
  for (std::size_t i = 0; i < 3; ++i) neural::require_rank(context, i, 3);
  const bool batch_first = node.get_int("layout") != 0;
  const std::string direction = node.get_string("direction");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    throw ModelError(cat("direction ", quoted(direction), " is not known"));
  }
  const Dim directions = direction == "bidirectional" ? 2 : 1;
  Dim hidden;
  if (node.has("hidden_size")) {
    if (node.get_int("hidden_size") < 1) throw ModelError("hidden_size must be 1 at least");
    hidden = node.get_int("hidden_size");
  }
  for (std::size_t i = 1; i < 3; ++i) {
    if (context.shape(i)) neural::require_equal((*context.shape(i))[0], directions, "directions");
  }
  if (context.shape(2)) hidden = neural::unified(hidden, (*context.shape(2))[2], "hidden_size and R");
  Dim steps, batch;
  if (const auto& x = context.shape(0)) {
    steps = (*x)[batch_first ? 1 : 0];
    batch = (*x)[batch_first ? 0 : 1];
    if (context.shape(1)) neural::require_equal((*x)[2], (*context.shape(1))[2], "input size of X and W");
  }
  const DType dtype = neural::first_dtype(context, {0, 1, 2});
  const SymbolicShape state =
      batch_first ? SymbolicShape{batch, directions, hidden} : SymbolicShape{directions, batch, hidden};
  context.set_output(
      0, dtype,
      batch_first ? SymbolicShape{batch, steps, directions, hidden} : SymbolicShape{steps, directions, batch, hidden});
  context.set_output(1, dtype, state);
  context.set_output(2, dtype, state);
}

namespace {

/// The value of a one-element integer input, when it is known.
Dim known_int(const InferContext& context, std::size_t input) {
  const auto values = context.has_input(input) ? context.ints(input) : std::nullopt;
  if (!values) return {};
  if (values->size() != 1) throw ModelError(cat("input ", input, " must be one integer"));
  if ((*values)[0] < 0) throw ModelError(cat("input ", input, " is negative: ", (*values)[0]));
  return (*values)[0];
}

}  // namespace

void infer_window(InferContext& context) {
  neural::require_rank(context, 0, 0);
  context.set_output(0, dtype_attribute(context, "output_datatype", DType::F32), SymbolicShape{known_int(context, 0)});
}

void infer_mel_weight_matrix(InferContext& context) {
  const Dim bins = known_int(context, 0), length = known_int(context, 1);
  context.set_output(0, dtype_attribute(context, "output_datatype", DType::F32),
                     SymbolicShape{length.is_known() ? Dim(length.value / 2 + 1) : Dim(), bins});
}

void infer_dft(InferContext& context) {
  const Node& node = context.node();
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (rank < 2) throw ModelError("input must have a signal dimension and one of real and imaginary parts");
  shape.back() = Dim(2);
  std::optional<std::int64_t> axis = node.get_int("axis", -2);
  if (context.has_input(2)) {
    const auto values = context.ints(2);
    if (values && values->size() != 1) throw ModelError("axis must be one integer");
    axis = values ? std::optional((*values)[0]) : std::nullopt;
  }
  if (!axis) {
    for (std::size_t i = 0; i + 1 < shape.size(); ++i) shape[i] = Dim();
    return context.set_output(0, context.dtype(0), std::move(shape));
  }
  const std::int64_t at = normalize_axis(*axis, rank);
  if (at == rank - 1) throw ModelError("axis names the dimension of real and imaginary parts");
  Dim& length = shape[static_cast<std::size_t>(at)];
  if (context.has_input(1)) length = known_int(context, 1);
  if (node.get_int("onesided") != 0) length = length.is_known() ? Dim(length.value / 2 + 1) : Dim();
  context.set_output(0, context.dtype(0), std::move(shape));
}

void infer_stft(InferContext& context) {
  const auto& signal = context.shape(0);
  if (signal && (signal->size() < 2 || signal->size() > 3)) throw ModelError("signal must be [batch, length, 1 or 2]");
  Dim length = known_int(context, 3), frames, bins;
  if (context.has_input(2) && context.shape(2)) {
    neural::require_rank(context, 2, 1);
    length = neural::unified(length, (*context.shape(2))[0], "frame_length and window length");
  }
  const Dim step = known_int(context, 1);
  if (step == Dim(0)) throw ModelError("frame_step must be 1 at least");
  if (length == Dim(0)) throw ModelError("frame_length must be 1 at least");
  if (length.is_known()) bins = context.node().get_int("onesided") != 0 ? Dim(length.value / 2 + 1) : length;
  if (length.is_known() && step.is_known() && signal && (*signal)[1].is_known()) {
    const std::int64_t room = (*signal)[1].value - length.value;
    if (room < 0) throw ModelError("a frame is longer than the signal");
    frames = room / step.value + 1;
  }
  context.set_output(0, context.dtype(0), SymbolicShape{signal ? (*signal)[0] : Dim(), frames, bins, Dim(2)});
}

}  // namespace adze::various
