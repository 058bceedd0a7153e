#include "adze/base/checked.h"
#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/control.h"
#include "adze/engine/reference/pieces.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::control {

namespace {

/// The position that an index input names, counting negative ones from the end; last: one past the end is allowed.
std::size_t position_of(const Context& context, std::size_t input, std::int64_t size, bool past_end) {
  const std::int64_t index = int_or(context, input, 0);
  const std::int64_t end = size + (past_end ? 1 : 0);
  if (index < -size || index >= end) {
    throw ModelError(cat("position ", index, " is outside of a sequence of ", size));
  }
  return static_cast<std::size_t>(index < 0 ? index + size : index);
}

}  // namespace

void concat_from_sequence(Context& context) {
  std::vector<Tensor> tensors;
  for (const Datum& datum : context.datum(0).sequence()) tensors.push_back(datum.tensor());
  const std::int64_t axis = context.node().get_int("axis");
  const bool new_axis = context.node().get_int("new_axis") != 0;
  context.set(0, new_axis ? stacked(tensors, axis) : concatenated(tensors, axis));
}

void optional(Context& context) {
  context.set(0, context.datum(0));
}

void optional_get_element(Context& context) {
  if (context.datum(0).is_none()) throw ModelError("the optional holds nothing");
  context.set(0, context.datum(0));
}

void optional_has_element(Context& context) {
  context.set(0, Tensor::scalar(!context.datum(0).is_none()));
}

void sequence_at(Context& context) {
  const Sequence& sequence = context.datum(0).sequence();
  context.set(0, sequence[position_of(context, 1, std::ssize(sequence), false)]);
}

void sequence_construct(Context& context) {
  Sequence sequence;
  for (std::size_t i = 0; i < context.num_inputs(); ++i) sequence.emplace_back(context.input(i));
  context.set(0, Datum(std::move(sequence)));
}

void sequence_empty(Context& context) {
  context.set(0, Datum(Sequence{}));
}

void sequence_erase(Context& context) {
  Sequence sequence = context.datum(0).sequence();
  if (sequence.empty()) throw ModelError("the sequence is empty");
  const std::size_t at = context.has(1) ? position_of(context, 1, std::ssize(sequence), false) : sequence.size() - 1;
  sequence.erase(sequence.begin() + static_cast<std::ptrdiff_t>(at));
  context.set(0, Datum(std::move(sequence)));
}

void sequence_insert(Context& context) {
  Sequence sequence = context.datum(0).sequence();
  const std::size_t at = context.has(2) ? position_of(context, 2, std::ssize(sequence), true) : sequence.size();
  sequence.insert(sequence.begin() + static_cast<std::ptrdiff_t>(at), context.datum(1));
  context.set(0, Datum(std::move(sequence)));
}

void sequence_length(Context& context) {
  context.set(0, Tensor::scalar(static_cast<std::int64_t>(context.datum(0).sequence().size())));
}

/// Pieces of given lengths, or of one length (the last may be shorter), or single elements.
void split_to_sequence(Context& context) {
  const Tensor& x = context.input(0);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), x.rank());
  const std::int64_t size = x.dim(axis);
  const Tensor* split = context.optional_input(1);
  const bool drops_axis = split == nullptr && context.node().get_int("keepdims") == 0;
  const bool lists_lengths = split != nullptr && split->rank() == 1;
  std::vector<std::int64_t> lengths;
  if (lists_lengths) {
    lengths = to_ints(*split);
  } else {
    const std::int64_t length = int_or(context, 1, 1);
    if (length < 1) throw ModelError(cat("split is ", length, "; the least is 1"));
    for (std::int64_t begin = 0; begin < size; begin += length) lengths.push_back(std::min(length, size - begin));
  }
  Sequence sequence;
  std::int64_t begin = 0;
  for (const std::int64_t length : lengths) {
    check_cancelled();
    Tensor piece = slice_of(x, axis, begin, length);
    begin = checked_add(begin, length, "split");
    sequence.emplace_back(drops_axis ? piece.reshaped(without_axis(piece.shape(), axis)) : piece);
  }
  if (begin != size) throw ModelError(cat("split adds up to ", begin, ", the dimension is ", size));
  context.set(0, Datum(std::move(sequence)));
}

}  // namespace adze::reference::control
