#pragma once

#include <string>
#include <vector>

#include "adze/emit/c/layer.h"
#include "adze/emit/c/overlap.h"

namespace adze::emit {

/// Writes the function that runs a group's stages, whose own functions are written, interleaved.
void write_row_group(Network& network, const RowGroup& group, const std::string& name,
                     const std::vector<std::string>& stages);

/// Says that a layer of one picture goes over it in rows.
void declare_window_rows(LayerWriter& writer, const WindowWalk& walk, std::int64_t batch);
/// Says that a layer works element by element on these operands, all of the output's shape.
void declare_elementwise_rows(LayerWriter& writer, std::vector<std::size_t> operands);
/// Says that a layer makes rows of its output, [1, rows, …], from all of its only operand, also [1, …].
void declare_gathered_rows(LayerWriter& writer);

}  // namespace adze::emit
