// Operators that cut a tensor along its axes.
#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer/movement.h"

namespace adze::movement {

namespace {

/// How many elements of an axis a slice takes; unknown where it depends on what is not known.
Dim sliced(const Dim& dim, const Dim& start_dim, std::optional<std::int64_t> start, const Dim& end_dim,
           std::optional<std::int64_t> end, std::int64_t step) {
  if (step == 0) throw ModelError("the step of a slice is 0");
  constexpr std::int64_t open_end = 2147483647;  // exports write "to the end" as the largest s32 or s64
  const bool from_start = start == 0 || start_dim == Dim(0);
  if (step == 1 && from_start && end && *end >= open_end) return dim;
  if (step == 1 && from_start && !dim.symbol.empty() && end_dim == dim) return dim;
  if (!dim.is_known() || !start || !end) return {};
  const std::int64_t size = dim.value;
  const auto resolve = [&](std::int64_t bound) {
    bound = std::clamp(bound, -size - 1, size);
    if (bound < 0) bound += size;
    return step > 0 ? std::clamp<std::int64_t>(bound, 0, size) : std::clamp<std::int64_t>(bound, -1, size - 1);
  };
  const std::int64_t distance = resolve(*end) - resolve(*start);
  step = std::clamp(step, -size - 1, size + 1);
  if ((step > 0) != (distance > 0) || distance == 0) return Dim(0);
  return Dim(distance / step + (distance % step != 0 ? 1 : 0));
}

/// One integer per axis of a slice: known, or what its dims fact says.
struct Bounds {
  std::optional<SymbolicShape> dims;
  const Tensor* constant = nullptr;

  Dim dim(std::size_t i) const { return dims && i < dims->size() ? (*dims)[i] : Dim(); }
  std::optional<std::int64_t> number(std::size_t i) const {
    const auto index = static_cast<std::int64_t>(i);
    if (constant != nullptr) return index < constant->size() ? std::optional(constant->get_int(index)) : std::nullopt;
    return dim(i).is_known() ? std::optional(dim(i).value) : std::nullopt;
  }
};

}  // namespace

void infer_slice(InferContext& context) {
  for (const std::size_t i : {1u, 2u, 3u, 4u}) require_index_type(context, i);
  const auto& input = context.shape(0);
  if (!input) return context.set_output(0, context.dtype(0));
  const auto unknown = [&] { context.set_output(0, context.dtype(0), SymbolicShape(input->size())); };
  const Bounds starts{context.dims(1), context.constant(1)}, ends{context.dims(2), context.constant(2)};
  std::optional<std::size_t> count;
  for (const std::size_t i : {1u, 2u}) {
    if (context.shape(i) && context.shape(i)->size() == 1 && context.shape(i)->front().is_known()) {
      count = static_cast<std::size_t>(context.shape(i)->front().value);
    }
  }
  std::optional<std::vector<std::int64_t>> axes = context.ints(3), steps = context.ints(4);
  if (!count || (context.has_input(3) && !axes) || *count > input->size()) return unknown();
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < *count; ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (axes->size() != *count || (steps && steps->size() != *count)) {
    throw ModelError("starts, ends, axes and steps have different lengths");
  }
  const std::vector<std::int64_t> at = normalize_axes(*axes, *context.rank(0));
  SymbolicShape shape = *input;
  for (std::size_t i = 0; i < *count; ++i) {
    Dim& dim = shape[static_cast<std::size_t>(at[i])];
    if (context.has_input(4) && !steps) {
      dim = Dim();
    } else {
      dim = sliced(dim, starts.dim(i), starts.number(i), ends.dim(i), ends.number(i), steps ? (*steps)[i] : 1);
    }
  }
  context.set_output(0, context.dtype(0), shape);
  const auto dims = list_dims(context, 0);
  if (!dims || input->size() != 1 || *count != 1 || !starts.number(0) || !ends.number(0)) return;
  if (context.has_input(4) && !steps) return;
  const std::int64_t step = steps ? steps->front() : 1, size = static_cast<std::int64_t>(dims->size());
  const Dim kept = sliced(Dim(size), Dim(), starts.number(0), Dim(), ends.number(0), step);
  std::int64_t place = std::clamp(*starts.number(0), -size - 1, size);
  if (place < 0) place += size;
  place = step > 0 ? std::clamp<std::int64_t>(place, 0, size) : std::clamp<std::int64_t>(place, -1, size - 1);
  SymbolicShape picked;
  for (std::int64_t i = 0; i < kept.value; ++i) picked.push_back((*dims)[static_cast<std::size_t>(place + i * step)]);
  context.set_dims(0, picked);
}

void infer_split(InferContext& context) {
  const auto& input = context.shape(0);
  const std::size_t count = context.num_outputs();
  if (const auto wanted = context.node().get_int("num_outputs", static_cast<std::int64_t>(count));
      wanted <= 0 || static_cast<std::size_t>(wanted) != count) {
    throw ModelError(cat("attribute num_outputs is ", wanted, ", the node has ", count, " outputs"));
  }
  if (!input) {
    for (std::size_t i = 0; i < count; ++i) context.set_output(i, context.dtype(0));
    return;
  }
  const auto axis = static_cast<std::size_t>(axis_of(context, *context.rank(0)));
  const Dim whole = (*input)[axis];
  std::vector<Dim> pieces(count);
  if (const auto lengths = list_dims(context, 1)) {
    if (lengths->size() != count)
      throw ModelError(cat("splits into ", lengths->size(), " pieces, the node has ", count, " outputs"));
    pieces.assign(lengths->begin(), lengths->end());
    const auto numbers = concrete(*lengths);
    std::int64_t sum = 0;
    for (const std::int64_t length : numbers.value_or(Shape{})) sum += std::min(length, std::int64_t{1} << 40);
    if (numbers && whole.is_known() && sum != whole.value) {
      throw ModelError(cat("the pieces add up to ", sum, ", the axis has ", whole.value));
    }
  } else if (!context.has_input(1) && whole.is_known()) {
    const auto parts = static_cast<std::int64_t>(count);
    const std::int64_t length = whole.value / parts + (whole.value % parts != 0 ? 1 : 0);
    std::int64_t left = whole.value;
    for (Dim& piece : pieces) {
      piece = Dim(std::min(length, left));
      left -= piece.value;
    }
  } else if (!context.has_input(1) && count == 1) {
    pieces[0] = whole;
  }
  for (std::size_t i = 0; i < count; ++i) {
    SymbolicShape shape = *input;
    shape[axis] = pieces[i];
    context.set_output(i, context.dtype(0), shape);
  }
  // Pieces of a list of dimensions.
  const auto dims = list_dims(context, 0);
  std::size_t begin = 0;
  for (std::size_t i = 0; dims && i < count && pieces[i].is_known(); ++i) {
    const auto length = static_cast<std::size_t>(pieces[i].value);
    if (begin + length > dims->size()) return;
    context.set_dims(i, {dims->begin() + static_cast<std::ptrdiff_t>(begin),
                         dims->begin() + static_cast<std::ptrdiff_t>(begin + length)});
    begin += length;
  }
}

}  // namespace adze::movement
