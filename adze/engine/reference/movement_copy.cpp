// Operators that put whole tensors, or regular pieces of them, in another order.
#include <algorithm>
#include <numeric>

#include "adze/base/checked.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

void run_concat(Context& context) {
  std::vector<Tensor> parts;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) parts.push_back(context.input(i));
  if (parts.empty()) throw ModelError("has no inputs");
  context.set(0, concatenated(parts, normalize_axis(context.node().get_int("axis"), parts[0].rank())));
}

void run_transpose(Context& context) {
  const Tensor& input = context.input(0);
  std::vector<std::int64_t> perm(input.shape().size());
  std::iota(perm.rbegin(), perm.rend(), std::int64_t{0});
  if (context.node().has("perm")) {
    perm = context.node().get_ints("perm");
    if (static_cast<std::int64_t>(perm.size()) != input.rank()) {
      throw ModelError(cat("perm has ", perm.size(), " entries for rank ", input.rank()));
    }
    perm = checked_axes(perm, input.rank());
  }
  context.set(0, transposed(input, perm));
}

void run_expand(Context& context) {
  const Tensor& input = context.input(0);
  const Shape shape = broadcast_shapes(input.shape(), int_list(context.input(1)));
  context.set(0, take_strided(input, shape, broadcast_strides(input.shape(), shape)));
}

void run_tile(Context& context) {
  const Tensor& input = context.input(0);
  const std::vector<std::int64_t> repeats = int_list(context.input(1));
  if (repeats.size() != input.shape().size()) {
    throw ModelError(cat("has ", repeats.size(), " repeats for rank ", input.rank()));
  }
  std::vector<AxisMap> maps;
  Shape shape;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i] < 0) throw ModelError(cat("repeats ", repeats[i], " times"));
    shape.push_back(checked_mul(input.shape()[i], repeats[i], "tiled dimension"));
  }
  if (num_elements(shape) == 0) return context.set(0, Tensor(input.dtype(), shape));
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    maps.push_back(make_axis_map(shape[i]));
    for (std::size_t k = 0; k < maps[i].size(); ++k) maps[i][k] = static_cast<std::int64_t>(k) % input.shape()[i];
  }
  context.set(0, take_places(input, maps));
}

/// The checked block size of a rank-4 input.
std::int64_t block_size(const Context& context, const Tensor& input) {
  const std::int64_t block = context.node().get_int("blocksize");
  if (block <= 0) throw ModelError(cat("attribute blocksize is ", block, ", expected more than 0"));
  if (input.rank() != 4) throw ModelError(cat("expected an input of rank 4, found ", shape_text(input.shape())));
  return block;
}

/// [N, C, H, W] → [N, C / b², H · b, W · b]
void run_depth_to_space(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t block = block_size(context, input);
  const std::int64_t n = input.dim(0), c = input.dim(1), h = input.dim(2), w = input.dim(3);
  const std::int64_t square = checked_mul(block, block);
  if (c % square != 0) throw ModelError(cat(c, " channels are not divisible by ", square));
  const std::int64_t depth = c / square;
  const std::string mode = context.node().get_string("mode");
  Tensor result;
  if (mode == "DCR") {
    result = transposed(input.reshaped({n, block, block, depth, h, w}), {0, 3, 4, 1, 5, 2});
  } else if (mode == "CRD") {
    result = transposed(input.reshaped({n, depth, block, block, h, w}), {0, 1, 4, 2, 5, 3});
  } else {
    throw ModelError(cat("attribute mode is ", quoted(mode), ", expected DCR or CRD"));
  }
  context.set(0, result.reshaped({n, depth, checked_mul(h, block), checked_mul(w, block)}));
}

/// [N, C, H, W] → [N, C · b², H / b, W / b]
void run_space_to_depth(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t block = block_size(context, input);
  const std::int64_t n = input.dim(0), c = input.dim(1), h = input.dim(2), w = input.dim(3);
  if (h % block != 0 || w % block != 0) {
    throw ModelError(cat("height ", h, " and width ", w, " are not divisible by the block size ", block));
  }
  const Tensor split = input.reshaped({n, c, h / block, block, w / block, block});
  const std::int64_t depth = checked_mul(c, checked_mul(block, block));
  context.set(0, transposed(split, {0, 3, 5, 1, 2, 4}).reshaped({n, depth, h / block, w / block}));
}

/// Reverses the first sequence_lens[b] time steps of each batch entry b.
void run_reverse_sequence(Context& context) {
  const Tensor& input = context.input(0);
  const std::vector<std::int64_t> lengths = int_list(context.input(1));
  if (input.rank() < 2) throw ModelError(cat("expected rank 2 or more, found ", shape_text(input.shape())));
  const std::int64_t batch_axis = normalize_axis(context.node().get_int("batch_axis"), input.rank());
  const std::int64_t time_axis = normalize_axis(context.node().get_int("time_axis"), input.rank());
  if (batch_axis == time_axis) throw ModelError("batch_axis and time_axis are the same");
  const std::int64_t steps = input.dim(time_axis);
  if (static_cast<std::int64_t>(lengths.size()) != input.dim(batch_axis)) {
    throw ModelError(cat("has ", lengths.size(), " sequence lengths for a batch of ", input.dim(batch_axis)));
  }
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > steps) throw ModelError(cat("sequence length ", length, " is not in 0…", steps));
  }
  const Tensor from = unpacked(input);
  Tensor out = from;
  const Shape strides = row_major_strides(input.shape());
  const std::int64_t step = strides[static_cast<std::size_t>(time_axis)];
  visit_storage(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto source = stored<T>(from);
    StridedWalk<1> walk(input.shape(), {strides});
    for (T& element : mutable_stored<T>(out)) {
      const std::int64_t time = walk.index()[static_cast<std::size_t>(time_axis)];
      const auto batch = static_cast<std::size_t>(walk.index()[static_cast<std::size_t>(batch_axis)]);
      const std::int64_t from_time = time < lengths[batch] ? lengths[batch] - 1 - time : time;
      element = source[static_cast<std::size_t>(walk.offset() + (from_time - time) * step)];
      walk.next();
    }
  });
  context.set(0, repacked(out, input.dtype()));
}

constexpr KernelEntry table[] = {
    {OpKind::Concat, run_concat},
    {OpKind::DepthToSpace, run_depth_to_space},
    {OpKind::Expand, run_expand},
    {OpKind::ReverseSequence, run_reverse_sequence},
    {OpKind::SpaceToDepth, run_space_to_depth},
    {OpKind::Tile, run_tile},
    {OpKind::Transpose, run_transpose},
};

}  // namespace

std::span<const KernelEntry> copy_kernels() {
  return table;
}

}  // namespace adze::reference::detail
