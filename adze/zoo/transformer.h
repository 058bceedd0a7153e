#pragma once

#include <optional>

#include "adze/zoo/builder.h"

namespace adze::zoo {

/// Variances of an attention's weights times their number per output.
struct AttentionGains {
  double inner = 1;   ///< of queries, keys and values
  double output = 1;  ///< of the last product
};

/// Inputs with what an attention layer remembers (Builder::past).
struct Memory {
  ValueId keys = ValueId::None, values = ValueId::None;
};

/// The parts that transformers are made of, over values [batch, tokens, features].
struct Transformer {
  Builder& net;
  std::int64_t batch;  ///< in reshapes; -1: whatever the input has, so that training may use another one; 0: the same
  std::int64_t tokens, features, heads;

  std::int64_t head_size() const { return features / heads; }

  /// x·W + b over the last axis; the product is quantized, the sum is not.
  ValueId linear(ValueId x, std::int64_t inputs, std::int64_t outputs, double gain = 1);
  ValueId quantized_linear(ValueId x, std::int64_t inputs, std::int64_t outputs, double gain = 1);
  ValueId reshape(ValueId x, Shape shape);

  /// mask: bool [tokens, tokens], where a token may look; None: everywhere. memory: keys and values of earlier calls,
  /// looked at too.
  ValueId attention(ValueId x, ValueId mask = ValueId::None, const AttentionGains& gains = {},
                    const Memory& memory = {});
  /// Layer normalization over the features, quantized.
  ValueId normalize(ValueId x);
  /// x·(1 + erf(x/√2))/2, spelled out as exporters do.
  ValueId gelu(ValueId x);

 private:
  ValueId split_heads(ValueId x, std::vector<std::int64_t> order);
};

/// Throws UsageError unless the features divide into heads.
void require_heads(std::int64_t features, std::int64_t heads);

}  // namespace adze::zoo
