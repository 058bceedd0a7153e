#include "adze/graph/infer/movement.h"

namespace adze {

std::span<const InferEntry> movement_inference() {
  using namespace movement;
  static constexpr InferEntry entries[] = {
      {OpKind::CenterCropPad, infer_center_crop_pad},
      {OpKind::Compress, infer_compress},
      {OpKind::Concat, infer_concat},
      {OpKind::Constant, infer_constant},
      {OpKind::ConstantOfShape, infer_constant_of_shape},
      {OpKind::DepthToSpace, infer_depth_to_space},
      {OpKind::Expand, infer_expand},
      {OpKind::EyeLike, infer_eye_like},
      {OpKind::Flatten, infer_flatten},
      {OpKind::Gather, infer_gather},
      {OpKind::GatherElements, infer_gather_elements},
      {OpKind::GatherND, infer_gather_nd},
      {OpKind::Identity, infer_identity},
      {OpKind::NonZero, infer_non_zero},
      {OpKind::OneHot, infer_one_hot},
      {OpKind::Pad, infer_pad},
      {OpKind::Range, infer_range},
      {OpKind::Reshape, infer_reshape},
      {OpKind::ReverseSequence, infer_reverse_sequence},
      {OpKind::Scatter, infer_scatter_elements},
      {OpKind::ScatterElements, infer_scatter_elements},
      {OpKind::ScatterND, infer_scatter_nd},
      {OpKind::Shape, infer_shape},
      {OpKind::Size, infer_size},
      {OpKind::Slice, infer_slice},
      {OpKind::SpaceToDepth, infer_space_to_depth},
      {OpKind::Split, infer_split},
      {OpKind::Squeeze, infer_squeeze},
      {OpKind::Tile, infer_tile},
      {OpKind::Transpose, infer_transpose},
      {OpKind::Trilu, infer_trilu},
      {OpKind::Unique, infer_unique},
      {OpKind::Unsqueeze, infer_unsqueeze},
  };
  return entries;
}

}  // namespace adze
