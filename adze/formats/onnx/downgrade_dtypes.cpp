#include <algorithm>

#include "adze/formats/onnx/downgrade_rules.h"

namespace adze::onnx {

namespace {

/// Refuses the first input whose element type is one of those.
template <typename Predicate>
void refuse_dtypes(const Downgrade& down, Predicate&& is_new) {
  for (std::size_t i = 0; i < down.node.inputs.size(); ++i) {
    const DType dtype = down.type(i).dtype;
    if (is_new(dtype)) down.refuse(cat(op_name(down.node.kind), " on ", dtype_name(dtype)));
  }
}

bool is_narrow(DType dtype) {
  return is_integer(dtype) && dtype_bits(dtype) < 32;
}

void narrow_integers(Downgrade& down) {
  refuse_dtypes(down, is_narrow);
}
void integers(Downgrade& down) {
  refuse_dtypes(down, is_integer);
}

void sequences(Downgrade& down) {
  const auto is_other = [&](ValueId id) { return id != ValueId::None && !down.graph.value(id).type.is_tensor(); };
  if (std::any_of(down.node.inputs.begin(), down.node.inputs.end(), is_other)) {
    down.refuse(cat(op_name(down.node.kind), " on sequences and optionals"));
  }
}

constexpr DowngradeRule rules[] = {
    {OpKind::Add, 14, narrow_integers},
    {OpKind::Sub, 14, narrow_integers},
    {OpKind::Mul, 14, narrow_integers},
    {OpKind::Div, 14, narrow_integers},
    {OpKind::Relu, 14, integers},
    {OpKind::Max, 12, integers},
    {OpKind::Min, 12, integers},
    {OpKind::Pow, 12, integers},
    {OpKind::Clip, 12, integers},
    {OpKind::MaxPool, 12, narrow_integers},
    {OpKind::ReduceMax, 12, narrow_integers},
    {OpKind::ReduceMin, 12, narrow_integers},
    {OpKind::Identity, 14, sequences},
    {OpKind::Loop, 13, sequences},
    {OpKind::If, 13, sequences},
};

}  // namespace

std::span<const DowngradeRule> dtype_downgrades() {
  return rules;
}

}  // namespace adze::onnx
