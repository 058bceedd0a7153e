#pragma once

#include "adze/graph/infer.h"

namespace adze::various {

// Rules by topic; the table is in various.cpp.
void infer_random(InferContext& context);
void infer_random_like(InferContext& context);
void infer_bernoulli(InferContext& context);
void infer_multinomial(InferContext& context);
void infer_recurrent(InferContext& context);
void infer_window(InferContext& context);
void infer_mel_weight_matrix(InferContext& context);
void infer_dft(InferContext& context);
void infer_stft(InferContext& context);
void infer_regex_full_match(InferContext& context);
void infer_string_concat(InferContext& context);
void infer_string_normalizer(InferContext& context);
void infer_string_split(InferContext& context);
void infer_tf_idf_vectorizer(InferContext& context);
void infer_optimizer(InferContext& context);
void infer_loss(InferContext& context);

}  // namespace adze::various
