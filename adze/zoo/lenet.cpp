#include "adze/zoo/families.h"

namespace adze::zoo {

/// Two hidden layers of 300 and 100 over a gray picture.
/// Source  LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998
Graph lenet_300_100(Builder net, const Settings& settings) {
  Feature x = net.flatten(net.input({1, settings.resolution, settings.resolution}));
  x = net.dense(x, scaled_channels(300, settings.width), Activation::Relu);
  x = net.dense(x, scaled_channels(100, settings.width), Activation::Relu);
  return net.finish(net.dense(x, settings.classes));
}

/// Two 5 × 5 convolutions of 20 and 50 channels, each with 2 × 2 max pooling, and 500 hidden units: 431 thousand
/// weights, the form that pruning papers use (Han et al., arXiv:1506.02626, table 3).
Graph lenet5(Builder net, const Settings& settings) {
  Feature x = net.input({1, settings.resolution, settings.resolution});
  for (const std::int64_t channels : {20, 50}) {
    x = net.conv(x, scaled_channels(channels, settings.width),
                 {.kernel_height = 5, .kernel_width = 5, .padding = Padding::Valid, .normalized = false});
    x = net.max_pool(x, 2, 2, 0, false);
  }
  x = net.dense(net.flatten(x), scaled_channels(500, settings.width), Activation::Relu);
  return net.finish(net.dense(x, settings.classes));
}

}  // namespace adze::zoo
