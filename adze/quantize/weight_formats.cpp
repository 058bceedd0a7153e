#include "adze/quantize/weight_formats.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/numerics/formats/format.h"
#include "adze/quantize/describe_weights.h"
#include "adze/quantize/format_codes.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

constexpr std::int64_t least_elements = 64;

std::optional<DType> half_type(std::string_view name) {
  if (name == "f16") return DType::F16;
  if (name == "bf16") return DType::BF16;
  return std::nullopt;
}

class Storer {
 public:
  Storer(Graph graph, const PtqOptions& options)
      : outcome_{std::move(graph), {}}, inserter_(outcome_.graph), options_(options) {}

  QuantizeOutcome store() {
    for (const NodeId id : outcome_.graph.node_ids()) {
      const Node& node = outcome_.graph.node(id);
      const auto input = weight_input(outcome_.graph, node);
      if (role_of(node.kind) != Role::Layer || is_skipped(node, options_.skip) || !input) continue;
      const ValueId weight = node.input(*input);
      const Tensor* exact = outcome_.graph.constant(weight);
      if (exact == nullptr || exact->dtype() != DType::F32 || exact->rank() < 2 || exact->size() < least_elements)
        continue;
      if (!stored_.contains(weight)) stored_[weight] = stored(id, weight);
      outcome_.graph.node(id).inputs[*input] = stored_.at(weight);
    }
    return std::move(outcome_);
  }

 private:
  Graph& graph() { return outcome_.graph; }
  ValueId constant(std::string_view of, std::string_view what, Tensor tensor) {
    return inserter_.constant(inserter_.unique_name(cat(of, "_", what)), std::move(tensor));
  }
  ValueId node(OpKind kind, std::vector<ValueId> inputs, std::string_view of, std::string_view what,
               std::vector<std::pair<std::string, Attribute>> attributes = {}) {
    return inserter_.node(kind, std::move(inputs), inserter_.unique_name(cat(of, "_", what)), std::move(attributes));
  }

  ValueId stored(NodeId layer, ValueId weight) {
    const Tensor exact = *graph().constant(weight);
    const std::string name = graph().value(weight).name;
    WeightReport report;
    report.value = name;
    report.node = graph().node(layer).name;
    report.shape = exact.shape();
    std::vector<float> restored;
    ValueId result = ValueId::None;
    if (const auto half = half_type(options_.format)) {
      const Tensor rounded = converted(exact, *half);
      const Tensor back = converted(rounded, DType::F32);
      restored.assign(back.data<float>().begin(), back.data<float>().end());
      report.bits = 16;
      result = node(OpKind::Cast, {constant(name, options_.format, rounded)}, name, "widened",
                    {{"to", static_cast<std::int64_t>(DType::F32)}});
    } else {
      result = stored_codes(layer, exact, name, report, restored);
    }
    describe(report, exact.data<float>(), restored);
    outcome_.report.weights.push_back(std::move(report));
    return result;
  }

  ValueId stored_codes(NodeId layer, const Tensor& exact, const std::string& name, WeightReport& report,
                       std::vector<float>& restored) {
    const auto format = adze::format(options_.format);
    const std::int64_t block = format->facts().block;
    std::optional<std::int64_t> axis = channel_axis(graph().node(layer), exact.rank());
    const bool per_channel = has_scale_alone(*format) && (options_.weights == Granularity::PerChannel || block > 0);
    if (!per_channel) axis = std::nullopt;
    const Rows rows = rows_of(exact, axis);
    const std::int64_t group = block > 0 ? 1 : options_.channel_group;
    const Coded codes = coded(*format, rows, block > 0 ? block : rows.columns, group);
    report.bits = format->bits();
    report.num_scales = std::max<std::int64_t>(1, (std::ssize(codes.scales) - 1) / group + 1);
    restored = restored_in_order(codes, rows, exact.shape(), axis);
    return block > 0 ? blocks_looked_up(codes, rows, exact.shape(), axis, name)
                     : looked_up(codes, exact.shape(), axis, name);
  }

  /// Indices as u4 or u8 → numbers of the table.
  ValueId gathered(const Coded& codes, const Tensor& indices, std::string_view name) {
    const ValueId wide = node(OpKind::Cast, {constant(name, "codes", indices)}, name, "indices",
                              {{"to", static_cast<std::int64_t>(DType::S32)}});
    const auto count = static_cast<std::int64_t>(codes.table.size());
    return node(OpKind::Gather, {constant(name, "table", Tensor::from<float>({count}, codes.table)), wide}, name,
                "looked_up");
  }
  static DType index_type(const Coded& codes) { return codes.table.size() <= 16 ? DType::U4 : DType::U8; }

  ValueId looked_up(const Coded& codes, const Shape& shape, std::optional<std::int64_t> axis, std::string_view name) {
    Tensor indices(index_type(codes), shape);
    const Rows rows{{}, axis ? shape[static_cast<std::size_t>(*axis)] : 1, codes.length};
    for (std::int64_t i = 0; i < indices.size(); ++i) {
      indices.set_int(i, static_cast<std::int64_t>(codes.codes[code_place(i, rows, codes.length, shape, axis)]));
    }
    const ValueId values = gathered(codes, indices, name);
    if (codes.scales.empty()) return values;
    Shape scale_shape;
    if (axis) {
      scale_shape.assign(shape.size(), 1);
      scale_shape[static_cast<std::size_t>(*axis)] = rows.rows;
    }
    return node(OpKind::Mul, {values, constant(name, "scale", Tensor::from<float>(scale_shape, codes.scales))}, name,
                "restored");
  }

  /// [pieces][block] times 2^exponent, cut to rows and put back in the weight's order.
  ValueId blocks_looked_up(const Coded& codes, const Rows& rows, const Shape& shape, std::optional<std::int64_t> axis,
                           std::string_view name) {
    Tensor indices(index_type(codes), {codes.pieces, codes.length}), exponents(DType::U8, {codes.pieces, 1});
    for (std::int64_t i = 0; i < indices.size(); ++i) {
      indices.set_int(i, static_cast<std::int64_t>(codes.codes[static_cast<std::size_t>(i)]));
    }
    for (std::int64_t i = 0; i < codes.pieces; ++i) {
      exponents.set_int(i, std::clamp(std::ilogb(codes.scales[static_cast<std::size_t>(i)]) + 127, 0, 254));
    }
    const auto ints = [&](std::string_view what, const std::vector<std::int64_t>& values) {
      return constant(name, what, Tensor::ints(values));
    };
    const ValueId biased = node(OpKind::Cast, {constant(name, "exponents", exponents)}, name, "biased",
                                {{"to", static_cast<std::int64_t>(DType::F32)}});
    const ValueId exponent =
        node(OpKind::Sub, {biased, constant(name, "bias", Tensor::scalar(127.0F))}, name, "exponent");
    const ValueId scale = node(OpKind::Pow, {constant(name, "base", Tensor::scalar(2.0F)), exponent}, name, "scale");
    ValueId value = node(OpKind::Mul, {gathered(codes, indices, name), scale}, name, "scaled");
    value = node(OpKind::Reshape, {value, ints("padded", {rows.rows, -1})}, name, "rows");
    value =
        node(OpKind::Slice, {value, ints("from", {0}), ints("to", {rows.columns}), ints("along", {1})}, name, "cut");
    Shape channels_first;
    std::vector<std::int64_t> back;
    const std::int64_t first = axis.value_or(0);
    if (axis) channels_first.push_back(rows.rows);
    for (std::int64_t i = 0; i < std::ssize(shape); ++i) {
      if (!axis || i != first) channels_first.push_back(shape[static_cast<std::size_t>(i)]);
      back.push_back(!axis || i > first ? i : i == first ? 0 : i + 1);
    }
    value =
        node(OpKind::Reshape, {value, ints("shape", channels_first)}, name, first > 0 ? "channels_first" : "restored");
    return first > 0 ? node(OpKind::Transpose, {value}, name, "restored", {{"perm", back}}) : value;
  }

  QuantizeOutcome outcome_;
  Inserter inserter_;
  const PtqOptions& options_;
  std::map<ValueId, ValueId> stored_;
};

}  // namespace

void check_weight_format(std::string_view name) {
  if (half_type(name)) return;
  const auto format = adze::format(name);
  const bool few = format->bits() <= 8;
  const bool blocks_scale = format->facts().block == 0 || has_scale_alone(*format);
  if (!few || !blocks_scale) {
    throw UsageError(cat("weights cannot be stored as ", name, ", ", format->bits(), " bits"),
                     "formats of at most 8 bits (adze inspect --format NAME), f16 or bf16");
  }
}

QuantizeOutcome quantize_weight_format(Graph graph, const PtqOptions& options) {
  return Storer(std::move(graph), options).store();
}

}  // namespace adze::quantize
