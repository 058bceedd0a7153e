// Gather by indices that are known only at run time: embeddings.
#include <algorithm>
#include <cstring>

#include "adze/base/text.h"
#include "adze/engine/steps/copies.h"

namespace adze::engine {

namespace {

constexpr std::int64_t byte_grain = 1 << 15;

/// y[o, i] = x[o, indices[i]] of blocks of bytes.
struct GatherProblem {
  const std::byte* x;
  std::byte* y;
  std::int64_t size, count;  ///< of the axis, and how many are taken from it
  std::int64_t bytes;        ///< of a block
  std::int64_t axis;
  ErrorPlace place;
};

[[noreturn]] void refuse(const GatherProblem& problem, std::int64_t index, std::int64_t at) {
  throw ModelError(cat("index ", index, " at position ", at, " is out of range for axis ", problem.axis, " of size ",
                       problem.size, ": expected ", -problem.size, " to ", problem.size - 1),
                   problem.place);
}

/// known: the bytes of a block, or 0.
template <typename Index, std::size_t known>
void gather_blocks(const GatherProblem& problem, const Index* indices, std::int64_t begin, std::int64_t end) {
  const std::size_t bytes = known > 0 ? known : static_cast<std::size_t>(problem.bytes);
  std::int64_t i = begin % problem.count;
  const std::byte* x = problem.x + begin / problem.count * problem.size * problem.bytes;
  std::byte* y = problem.y + begin * problem.bytes;
  for (std::int64_t at = begin; at < end; ++at, y += bytes) {
    const auto given = static_cast<std::int64_t>(indices[i]);
    const std::int64_t index = given < 0 ? given + problem.size : given;
    if (index < 0 || index >= problem.size) refuse(problem, given, i);
    std::memcpy(y, x + index * problem.bytes, bytes);
    if (++i < problem.count) continue;
    i = 0;
    x += problem.size * problem.bytes;
  }
}

template <typename Index>
auto gather_of(std::int64_t bytes) {
  return bytes == 1   ? gather_blocks<Index, 1>
         : bytes == 2 ? gather_blocks<Index, 2>
         : bytes == 4 ? gather_blocks<Index, 4>
         : bytes == 8 ? gather_blocks<Index, 8>
                      : gather_blocks<Index, 0>;
}

template <typename Index>
std::unique_ptr<Step> gather_step(const BindContext& context, const GatherProblem& problem, std::int64_t blocks) {
  const Index* indices = context.in<Index>(1);
  const int threads = context.threads();
  const std::int64_t grain = std::max<std::int64_t>(1, byte_grain / problem.bytes);
  return make_step("gather", [=, gather = gather_of<Index>(problem.bytes)] {
    run_parallel(threads, blocks, grain,
                 [&](std::int64_t begin, std::int64_t end) { gather(problem, indices, begin, end); });
  });
}

}  // namespace

std::unique_ptr<Step> bind_gather_any(const BindContext& context) {
  const DType index_type = context.dtype(1);
  const std::int64_t bits = dtype_bits(context.dtype(0));
  const Shape x = context.shape(0);
  if (bits % 8 != 0 || (index_type != DType::S32 && index_type != DType::S64) || x.empty()) return nullptr;
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(x.size()));
  GatherProblem problem{context.in_bytes(0),
                        context.out<std::byte>(),
                        x[static_cast<std::size_t>(axis)],
                        num_elements(context.shape(1)),
                        num_elements(Shape(x.begin() + axis + 1, x.end())) * bits / 8,
                        axis,
                        place_of(context.graph(), context.node())};
  const std::int64_t blocks = num_elements(Shape(x.begin(), x.begin() + axis)) * problem.count;
  return index_type == DType::S32 ? gather_step<std::int32_t>(context, problem, blocks)
                                  : gather_step<std::int64_t>(context, problem, blocks);
}

}  // namespace adze::engine
