#include "adze/plan/stream_run.h"

#include <algorithm>
#include <cstring>

namespace adze {

void run_rows(const Plan& plan, const RowGroup& group, std::span<std::byte> arena,
              const std::function<void(const RowStage& stage, const RowBand& band)>& compute) {
  const auto place = [&](const RowTensor& tensor) { return arena.data() + plan.at(tensor.value).offset; };
  RowEvents events;
  events.move = [&](std::size_t of, std::int64_t shift, std::int64_t count) {
    const RowTensor& tensor = group.tensors[of];
    std::byte* rows = place(tensor);
    std::memmove(rows, rows + shift * tensor.row_bytes, static_cast<std::size_t>(count * tensor.row_bytes));
  };
  events.run = [&](std::size_t at, std::int64_t row, std::int64_t count, std::span<const std::int64_t> first) {
    const RowStage& stage = group.stages[at];
    const std::int64_t top = row * stage.form.stride - stage.form.pad;
    const std::int64_t end = (row + count - 1) * stage.form.stride - stage.form.pad + stage.form.extent;
    RowBand band;
    band.row = row, band.rows = count;
    band.from = std::max<std::int64_t>(0, top);
    band.pad_top = band.from - top;
    band.in_rows = std::min(end, group.tensors[static_cast<std::size_t>(stage.inputs[0])].rows) - band.from;
    for (const std::int32_t input : stage.inputs) {
      const RowTensor& tensor = group.tensors[static_cast<std::size_t>(input)];
      band.in.push_back(place(tensor) + (band.from - first[static_cast<std::size_t>(input)]) * tensor.row_bytes);
    }
    const RowTensor& output = group.tensors[static_cast<std::size_t>(stage.output)];
    band.out = place(output) + (row - first[static_cast<std::size_t>(stage.output)]) * output.row_bytes;
    compute(stage, band);
  };
  walk_rows(group, events);
}

}  // namespace adze
