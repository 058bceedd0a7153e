#include <map>

#include "adze/base/text.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/static.h"
#include "adze/quantize/weights.h"

namespace adze::quantize {

namespace {

/// [K, N] from [N, K].
Tensor transposed(const Tensor& matrix) {
  Tensor result(matrix.dtype(), {matrix.dim(1), matrix.dim(0)});
  const auto from = matrix.data<float>();
  const auto to = result.mutable_data<float>();
  const auto rows = static_cast<std::size_t>(matrix.dim(0));
  const auto columns = static_cast<std::size_t>(matrix.dim(1));
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

class DynamicQuantizer {
 public:
  DynamicQuantizer(Graph graph, const PtqOptions& options)
      : outcome_{std::move(graph), {}}, options_(options), inserter_(outcome_.graph) {}

  QuantizeOutcome quantize() {
    for (const NodeId id : topological_order(graph())) {
      if (applies(graph().node(id))) replace(id);
    }
    return std::move(outcome_);
  }

 private:
  Graph& graph() { return outcome_.graph; }

  bool applies(const Node& node) {
    if (node.kind != OpKind::Conv && node.kind != OpKind::Gemm && node.kind != OpKind::MatMul) return false;
    const Tensor* weight = graph().constant(node.input(1));
    return weight != nullptr && weight->rank() >= 2 && can_quantize(graph(), node) && !is_skipped(node, options_.skip);
  }

  void replace(NodeId id) {
    const Node node = graph().node(id);
    const bool is_conv = node.kind == OpKind::Conv;
    ValueId weight = node.inputs[1];
    std::optional<std::int64_t> axis = channel_axis(node, graph().constant(weight)->rank());
    if (node.kind == OpKind::Gemm && node.get_int("transB") != 0) {
      weight =
          inserter_.constant(cat(graph().value(weight).name, "_transposed"), transposed(*graph().constant(weight)));
      axis = 1;
    }
    if (options_.weights == Granularity::PerTensor) axis = std::nullopt;
    const QuantizedWeight codes = quantize_weight(graph(), node, weight, {axis, options_.channel_group});
    outcome_.report.weights.push_back(report_weight(graph(), node, weight, codes));
    const bool rows = options_.dynamic_rows && !is_conv;
    const DynamicInput input = rows ? quantized_rows(node.inputs[0]) : quantized_input(node.inputs[0]);
    const std::string name = graph().value(weight).name;
    const ValueId stored = inserter_.constant(cat(name, "_quantized"), codes.codes);
    // Channels stand before the spatial axes in a picture, last in a matrix.
    const std::size_t spatial = is_conv ? static_cast<std::size_t>(codes.codes.rank()) - 2 : 0;
    const ValueId accumulator =
        inserter_.node(is_conv ? OpKind::ConvInteger : OpKind::MatMulInteger, {input.codes, stored, input.zero_point},
                       cat(node.name, "_integer"), is_conv ? node.attributes : decltype(node.attributes){});
    const ValueId real = inserter_.node(OpKind::Cast, {accumulator}, cat(node.name, "_cast"),
                                        {{"to", std::int64_t{static_cast<int>(DType::F32)}}});
    const ValueId weight_scale = inserter_.constant(cat(name, "_scale"), channel_tensor(scales_of(codes), spatial));
    graph().remove_node(id);
    // Scales of rows and of columns would make a matrix together: one after the other.
    const ValueId left = rows ? inserter_.node(OpKind::Mul, {real, weight_scale}, cat(node.name, "_columns")) : real;
    const ValueId scale =
        rows ? input.scale : inserter_.node(OpKind::Mul, {input.scale, weight_scale}, cat(node.name, "_scale"));
    const auto bias = bias_input(node);
    if (!bias) {
      finish(node, OpKind::Mul, {left, scale});
      return;
    }
    const ValueId product = inserter_.node(OpKind::Mul, {left, scale}, cat(node.name, "_scaled"));
    const Tensor offsets = channel_tensor(*graph().constant(node.inputs[*bias]), spatial);
    const std::string bias_name = cat(graph().value(node.inputs[*bias]).name, "_channels");
    finish(node, OpKind::Add, {product, inserter_.constant(bias_name, offsets)});
  }

  struct DynamicInput {
    ValueId codes, scale, zero_point;
  };

  DynamicInput quantized_input(ValueId value) {
    if (const auto found = inputs_.find(value); found != inputs_.end()) return found->second;
    const std::string name = graph().value(value).name;
    Node node;
    node.kind = OpKind::DynamicQuantizeLinear;
    node.name = inserter_.unique_name(cat(name, "_quantize"));
    node.inputs = {value};
    const DynamicInput input{graph().add_value(inserter_.unique_name(cat(name, "_quantized"))),
                             graph().add_value(inserter_.unique_name(cat(name, "_scale"))),
                             graph().add_value(inserter_.unique_name(cat(name, "_zero_point")))};
    node.outputs = {input.codes, input.scale, input.zero_point};
    graph().add_node(std::move(node));
    inputs_.emplace(value, input);
    return input;
  }

  /// A scale for each row: its largest magnitude is code 127 from the middle 128. ONNX has no operator for it:
  /// value → Abs → ReduceMax → scale; value / scale → QuantizeLinear by 1.
  DynamicInput quantized_rows(ValueId value) {
    if (const auto found = rows_.find(value); found != rows_.end()) return found->second;
    const std::string name = cat(graph().value(value).name, "_rows");
    DynamicInput input{};
    input.scale = inserter_.row_scale(value, name, 127, 1e-30f);
    const ValueId scaled = inserter_.node(OpKind::Div, {value, input.scale}, cat(name, "_scaled"));
    const ValueId unit = inserter_.constant(cat(name, "_unit"), Tensor::scalar(1.0F));
    input.zero_point = inserter_.constant(cat(name, "_zero_point"), integer_tensor(DType::U8, {}, 128));
    input.codes = inserter_.node(OpKind::QuantizeLinear, {scaled, unit, input.zero_point}, cat(name, "_quantize"));
    rows_.emplace(value, input);
    return input;
  }

  static Tensor scales_of(const QuantizedWeight& codes) {
    std::vector<float> scales;
    for (const AffineScale& affine : codes.scales.scales) scales.push_back(affine.scale);
    const Shape shape = codes.scales.axis ? Shape{static_cast<std::int64_t>(scales.size())} : Shape{};
    return Tensor::from<float>(shape, scales);
  }

  /// [O] → [O, 1, …] with as many ones as there are spatial axes.
  static Tensor channel_tensor(const Tensor& tensor, std::size_t spatial) {
    if (tensor.rank() == 0) return tensor;
    Shape shape = tensor.shape();
    shape.insert(shape.end(), spatial, 1);
    return tensor.reshaped(std::move(shape));
  }

  /// The last node of the replacement computes the value that the layer computed.
  void finish(const Node& layer, OpKind kind, std::vector<ValueId> inputs) {
    Node node;
    node.kind = kind;
    node.name = layer.name;
    node.inputs = std::move(inputs);
    node.outputs = layer.outputs;
    graph().add_node(std::move(node));
  }

  QuantizeOutcome outcome_;
  const PtqOptions& options_;
  Inserter inserter_;
  std::map<ValueId, DynamicInput> inputs_, rows_;
};

}  // namespace

QuantizeOutcome quantize_dynamic(Graph graph, const PtqOptions& options) {
  return DynamicQuantizer(std::move(graph), options).quantize();
}

}  // namespace adze::quantize
