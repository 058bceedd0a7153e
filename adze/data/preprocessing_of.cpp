#include "adze/base/text.h"
#include "adze/data/preprocessing.h"
#include "adze/data/text_dataset.h"

namespace adze {

namespace {

bool is_channel_count(const Dim& dim) {
  return dim.value == 1 || dim.value == 3;
}

void take_picture_shape(const SymbolicShape& shape, Preprocessing& how) {
  // A network reads pictures channels-first unless only the last dimension can be the channels.
  const bool last = is_channel_count(shape[3]) && !is_channel_count(shape[1]);
  how.layout = last ? PixelLayout::Nhwc : PixelLayout::Nchw;
  const Dim& channels = last ? shape[3] : shape[1];
  const Dim& height = last ? shape[1] : shape[2];
  const Dim& width = last ? shape[2] : shape[3];
  if (is_channel_count(channels)) how.channels = channels.value;
  if (height.value > 0) how.height = height.value;
  if (width.value > 0) how.width = width.value;
}

/// Scale and zero point of an integer input: those of the DequantizeLinear that reads it, through transposes.
void take_quantization(const Graph& graph, ValueId input, Preprocessing& how) {
  const Uses uses(graph);
  for (int steps = 0; steps < 8 && input != ValueId::None; ++steps) {
    ValueId next = ValueId::None;
    for (const NodeId id : uses.of(input)) {
      const Node& node = graph.node(id);
      if (node.kind == OpKind::DequantizeLinear) {
        const Tensor* scale = graph.constant(node.input(1));
        const Tensor* zero = graph.constant(node.input(2));
        if (scale == nullptr || scale->size() != 1) return;
        how.quantization_scale = scale->get_double(0);
        how.zero_point = zero != nullptr && zero->size() == 1 ? zero->get_int(0) : 0;
        return;
      }
      if (node.kind == OpKind::Transpose || node.kind == OpKind::Reshape) next = node.output();
    }
    input = next;
  }
}

}  // namespace

Preprocessing preprocessing_of(const Graph& graph) {
  Preprocessing how;
  if (!graph.inputs().empty()) {
    const ValueId input = graph.inputs()[0];
    const ValueType& type = graph.value(input).type;
    if (type.dtype != DType::Undefined) how.dtype = type.dtype;
    if (type.shape && !type.shape->empty()) {
      if (type.shape->size() == 4) take_picture_shape(*type.shape, how);
      const SymbolicShape rest(type.shape->begin() + 1, type.shape->end());
      if (const auto sample = concrete(rest)) how.sample_shape = *sample;
    }
    if (is_integer(how.dtype)) take_quantization(graph, input, how);
  }
  if (const auto found = graph.metadata.find("adze.vocabulary"); found != graph.metadata.end()) {
    how.vocabulary = parse_vocabulary(found->second);
  }
  const auto metadata = graph.metadata.find("adze.preprocessing");
  if (metadata == graph.metadata.end()) return how;
  try {
    return parse_preprocessing_json(metadata->second, how);
  } catch (const Error& error) {
    rethrow_with_place(error, {graph.source_file, {}, {}});
  }
}

}  // namespace adze
