#include "adze/zoo/families.h"
#include "adze/zoo/transformer.h"

namespace adze::zoo {

/// Transformer encoder blocks, normalized after each sum.
/// Source  Vaswani et al., arXiv:1706.03762; GELU: Hendrycks and Gimpel, arXiv:1606.08415
Graph encoder(Builder net, const Settings& settings) {
  require_heads(settings.features, settings.heads);
  Feature x = net.input({settings.context, settings.features});
  const std::int64_t features = settings.features, hidden = 4 * features;
  Transformer parts{net, -1, settings.context, features, settings.heads};
  const auto add_and_normalize = [&](ValueId a, ValueId b) { return parts.normalize(net.node(OpKind::Add, {a, b})); };
  for (std::int64_t block = 0; block < settings.layers; ++block) {
    x.value = add_and_normalize(x.value, parts.attention(x.value));
    const ValueId wide = net.quantize(parts.gelu(parts.linear(x.value, features, hidden)), Range::Silu);
    x.value = add_and_normalize(x.value, parts.quantized_linear(wide, hidden, features));
  }
  return net.finish(x);
}

}  // namespace adze::zoo
