#include "adze/graph/infer/various.h"

namespace adze {

std::span<const InferEntry> various_inference() {
  using namespace various;
  static constexpr InferEntry entries[] = {
      {OpKind::Adagrad, infer_optimizer},
      {OpKind::Adam, infer_optimizer},
      {OpKind::Bernoulli, infer_bernoulli},
      {OpKind::BlackmanWindow, infer_window},
      {OpKind::DFT, infer_dft},
      {OpKind::GRU, infer_recurrent},
      {OpKind::HammingWindow, infer_window},
      {OpKind::HannWindow, infer_window},
      {OpKind::LSTM, infer_recurrent},
      {OpKind::MelWeightMatrix, infer_mel_weight_matrix},
      {OpKind::Momentum, infer_optimizer},
      {OpKind::Multinomial, infer_multinomial},
      {OpKind::NegativeLogLikelihoodLoss, infer_loss},
      {OpKind::RNN, infer_recurrent},
      {OpKind::RandomNormal, infer_random},
      {OpKind::RandomNormalLike, infer_random_like},
      {OpKind::RandomUniform, infer_random},
      {OpKind::RandomUniformLike, infer_random_like},
      {OpKind::RegexFullMatch, infer_regex_full_match},
      {OpKind::STFT, infer_stft},
      {OpKind::SoftmaxCrossEntropyLoss, infer_loss},
      {OpKind::StringConcat, infer_string_concat},
      {OpKind::StringNormalizer, infer_string_normalizer},
      {OpKind::StringSplit, infer_string_split},
      {OpKind::TfIdfVectorizer, infer_tf_idf_vectorizer},
  };
  return entries;
}

}  // namespace adze
