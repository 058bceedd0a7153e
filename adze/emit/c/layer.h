#pragma once

// Internal to emit/c: writing one layer.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adze/emit/c/arrange.h"
#include "adze/emit/c/emit.h"
#include "adze/emit/c/printer.h"
#include "adze/graph/graph.h"
#include "adze/numerics/requantize.h"
#include "adze/plan/plan.h"

namespace adze::emit {

/// Instructions that kernels and weight layouts are made for.
enum class Isa : std::uint8_t { Plain, Dsp, Mve };

/// The network as it is being written.
struct Network {
  const Graph& graph;  ///< arranged
  const Plan& plan;
  const EmitOptions& options;
  Isa isa = Isa::Plain;
  Printer data;                        ///< tables
  Printer code;                        ///< layer functions
  std::set<std::string> runtime = {};  ///< files needed
  std::int64_t weight_bytes = 0;
  std::string weights_file = {};             ///< bytes of all tables, when they do not stand in the C code
  std::int64_t constants = 0;                ///< written so far, for their names
  std::map<NodeId, NodeMemory> memory = {};  ///< what the layers written so far said of theirs
  std::vector<EmittedArray> arrays = {};     ///< as far as they are known

  /// A C expression: a pointer to what the plan has at this offset.
  std::string at(std::int64_t offset) const;
};

/// Writes the C function of one node.
class LayerWriter {
 public:
  /// group: of which the layer is a stage; null: it runs at once.
  LayerWriter(Network& network, const Node& node, std::int32_t step, std::string function,
              const RowGroup* group = nullptr)
      : network_(network), node_(node), step_(step), function_(std::move(function)), group_(group) {}

  const Node& node() const { return node_; }
  Isa isa() const { return network_.isa; }
  Optimize optimize() const { return network_.options.optimize; }
  const Tensor* constant(std::size_t input) const { return network_.graph.constant(node_.input(input)); }
  /// UnsupportedError without it.
  const Tensor& need_constant(std::size_t input, std::string_view what) const;
  DType dtype(std::size_t input) const { return network_.graph.value(node_.inputs[input]).type.dtype; }
  DType output_dtype(std::size_t output = 0) const { return network_.graph.value(node_.outputs[output]).type.dtype; }
  /// As it lies in memory.
  Shape shape(std::size_t input) const;
  Shape output_shape(std::size_t output = 0) const;

  /// C expressions: pointers to the operands, cast to the type.
  std::string in(std::size_t input, std::string_view type = "int8_t");
  std::string out(std::size_t output = 0, std::string_view type = "int8_t");
  /// Memory that only this layer uses, while it runs.
  std::string scratch(std::int64_t bytes);
  /// Says that the output may share bytes with an operand (plan/plan.h).
  void may_overlap(std::size_t input, std::int64_t distance, bool exact = false) {
    memory().overlaps.push_back({input, distance, exact});
  }
  /// Says that the layer can run a few rows at a time, of the operands that the form names.
  void may_run_by_rows(RowForm form) { memory().rows = std::move(form); }
  /// Says how many instructions the layer takes, by the rows that it computes at a time (emit/c/work.h).
  void takes(std::function<double(std::int64_t)> work) { memory().work = std::move(work); }
  /// A C expression: pointer to the layer's numbers, or to a copy of them for the rows of one call.
  std::string numbers(std::string_view type, std::string_view more = {});
  /// How many elements are computed in one call, of `count` in all.
  std::string elements(std::int64_t count) const;
  bool by_rows() const { return group_ != nullptr; }
  /// The same of the scratch memory.
  void scratch_may_overlap(std::size_t input, std::int64_t distance) {
    memory().scratch_overlaps.push_back({input, distance, false});
  }
  /// Where the operand lies in the arena, -1 for constants.
  std::int64_t offset(ValueId id) const;

  /// Asks for a runtime file; returns nothing.
  void use(std::string_view file) { network_.runtime.insert(std::string(file)); }
  /// Writes a table and returns its name.
  template <typename T>
  std::string table(std::string_view suffix, std::string_view type, const std::vector<T>& values) {
    const std::string name = function_ + "_" + std::string(suffix);
    network_.weight_bytes += static_cast<std::int64_t>(values.size() * sizeof(T));
    if (!network_.options.weights_object) {
      network_.data.array(type, name, std::span<const T>(values));
      return name;
    }
    return stored_table(type, name, std::as_bytes(std::span<const T>(values)));
  }
  void line(std::string_view text) { network_.code.line(text); }
  void open(std::string_view text) { network_.code.open(text); }
  void close(std::string_view after = {}) { network_.code.close(after); }
  const std::string& function() const { return function_; }

  [[noreturn]] void refuse(std::string_view why) const;

 private:
  std::string stored_table(std::string_view type, const std::string& name, std::span<const std::byte> bytes);
  std::string constant_pointer(ValueId id, std::string_view type);
  NodeMemory& memory() { return network_.memory[network_.plan.order[static_cast<std::size_t>(step_)]]; }

  Network& network_;
  const Node& node_;
  std::int32_t step_;
  std::string function_;
  const RowGroup* group_;
};

/// Writes the node's body; false when there is nothing to do at run time (a view).
/// Throws UnsupportedError for an operator that has no C form.
void write_layer(LayerWriter& writer);

// Each writes the operators of its family and says whether it knew the node's.
bool write_compute(LayerWriter& writer);
bool write_pool(LayerWriter& writer);
bool write_arithmetic(LayerWriter& writer);
bool write_movement(LayerWriter& writer);
bool write_float(LayerWriter& writer);
bool write_recurrent(LayerWriter& writer);

/// The fields of an adze_channel.
struct Channel {
  std::int32_t bias = 0, multiplier = 0, offset = 0, shift = 0;
};
/// The least and the largest sum that a channel can meet.
struct SumRange {
  std::int64_t low = 0, high = 0;
};
/// How the layer's sums become bytes, and the table entry for each channel. Without ranges only the general forms.
struct ChannelTable {
  int kind = 1;
  std::vector<Channel> channels;
};
ChannelTable channel_table(std::span<const RequantizeParameters> by, std::span<const std::int32_t> biases,
                           std::span<const SumRange> ranges, const Affine& y);
/// "{bias, multiplier, offset, shift}"
std::string channel_text(const Channel& channel);
/// "{kind, zero_point, min, max}"
std::string output_text(int kind, const Affine& y);
/// The kind without bounds.
int general_kind(RoundingProfile profile);
/// The channel of one multiplier in the general forms.
Channel general_channel(const RequantizeParameters& by);

}  // namespace adze::emit
