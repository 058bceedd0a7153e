#include "adze/zoo/families.h"

namespace adze::zoo {

/// Depthwise separable convolutions over 49 × 10 spectral features: spoken key words.
/// Source  Zhang et al., Hello Edge, arXiv:1711.07128; MLPerf Tiny v1, keyword spotting
Graph ds_cnn(Builder net, const Settings& settings) {
  const std::int64_t channels = scaled_channels(64, settings.width);
  Feature x = net.conv(
      net.input({1, 49, 10}), channels,
      {.kernel_height = 10, .kernel_width = 4, .stride = 2, .padding = Padding::Same, .activation = Activation::Relu});
  for (int block = 0; block < 4; ++block) {
    x = net.depthwise(x, 3, 1, Activation::Relu, Padding::Same);
    x = net.conv(x, channels, 1, 1, Activation::Relu);
  }
  return net.finish(net.softmax(net.dense(net.flatten(net.mean(x)), settings.classes)));
}

}  // namespace adze::zoo
