#pragma once

#include "adze/graph/infer.h"

namespace adze::control {

/// Anything at all is known of the type.
bool is_known(const ValueType& type);
/// What is true of both types.
ValueType common(const ValueType& a, const ValueType& b);
/// What a sequence or optional holds; unknown when that is not known.
ValueType element_or_unknown(const ValueType& type);

// Rules of sequences and optionals; those of subgraphs and the table are in control.cpp.
void infer_same_type(InferContext& context);
void infer_sequence_at(InferContext& context);
void infer_sequence_construct(InferContext& context);
void infer_sequence_empty(InferContext& context);
void infer_sequence_insert(InferContext& context);
void infer_scalar_count(InferContext& context);
void infer_has_element(InferContext& context);
void infer_optional(InferContext& context);
void infer_get_element(InferContext& context);
void infer_concat_from_sequence(InferContext& context);
void infer_split_to_sequence(InferContext& context);

}  // namespace adze::control
