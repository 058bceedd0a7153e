#include "adze/emit/c/stream.h"

#include <limits>

#include "adze/base/text.h"

namespace adze::emit {

namespace {

/// What the scheduler's tables hold.
bool fits_tables(const RowForm& form, std::int64_t rows) {
  constexpr std::int64_t most = std::numeric_limits<std::int16_t>::max();
  return rows <= most && form.extent <= most && form.stride <= most && form.pad <= most;
}

void write_tensors(Network& network, const RowGroup& group) {
  network.code.open("static const adze_row_tensor tensors[] =");
  for (const RowTensor& tensor : group.tensors) {
    network.code.line(cat("{(unsigned char *)", network.at(network.plan.at(tensor.value).offset), ", ",
                          tensor.row_bytes, ", ", tensor.rows, ", ", tensor.held, ", ", tensor.maker, "},"));
  }
  network.code.close(";");
}

}  // namespace

void write_row_group(Network& network, const RowGroup& group, const std::string& name,
                     const std::vector<std::string>& stages) {
  network.runtime.insert(group.anew ? "adze_rows_anew.c" : "adze_rows.c");
  network.runtime.insert("adze_rows.h");
  network.code.open(cat("static void ", name, "(void)"));
  write_tensors(network, group);
  network.code.open("static const adze_row_stage stages[] =");
  for (std::size_t i = 0; i < group.stages.size(); ++i) {
    const RowStage& stage = group.stages[i];
    const std::int32_t second = stage.inputs.size() > 1 ? stage.inputs[1] : -1;
    const bool is_goal = group.tensors[static_cast<std::size_t>(stage.output)].goes_out;
    network.code.line(cat("{", stages[i], ", {", stage.inputs[0], ", ", second, "}, ", stage.output, ", ",
                          stage.form.extent, ", ", stage.form.stride, ", ", stage.form.pad, ", ", is_goal ? 1 : 0,
                          "},"));
  }
  network.code.close(";");
  network.code.line(cat("static const adze_row_group group = {tensors, stages, ", group.tensors.size(), ", ",
                        group.stages.size(), ", ", group.band, "};"));
  const std::int64_t state = network.plan.scratch.at(group.stages[0].node);
  network.code.line(
      cat(group.anew ? "adze_run_rows_anew" : "adze_run_rows", "(&group, (int16_t *)", network.at(state), ");"));
  network.code.close();
  network.code.line();
}

void declare_window_rows(LayerWriter& writer, const WindowWalk& walk, std::int64_t batch) {
  RowForm form;
  form.operands = {0};
  form.extent = walk.dilation_h * (walk.kernel_h - 1) + 1;
  form.stride = walk.stride_h;
  form.pad = walk.pad_top;
  if (batch == 1 && walk.out_h > 1 && fits_tables(form, std::max(walk.in_h, walk.out_h))) {
    writer.may_run_by_rows(std::move(form));
  }
}

void declare_elementwise_rows(LayerWriter& writer, std::vector<std::size_t> operands) {
  const Shape shape = writer.output_shape();
  RowForm form;
  form.operands = std::move(operands);
  if (shape.size() == 4 && shape[0] == 1 && shape[1] > 1 && fits_tables(form, shape[1])) {
    writer.may_run_by_rows(std::move(form));
  }
}

void declare_gathered_rows(LayerWriter& writer) {
  const Shape x = writer.shape(0), y = writer.output_shape();
  if (x.size() != 4 || y.size() != 4 || x[0] != 1 || y[0] != 1 || y[1] < 2 || writer.constant(0) != nullptr) return;
  RowForm form;
  form.operands = {0};
  form.extent = x[1];
  form.stride = 0;  // every row needs all
  if (fits_tables(form, std::max(x[1], y[1]))) writer.may_run_by_rows(std::move(form));
}

}  // namespace adze::emit
