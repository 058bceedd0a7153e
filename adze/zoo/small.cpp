// The small networks of the compression literature.
#include "adze/zoo/families.h"

namespace adze::zoo {

/// Three pairs of 3 × 3 convolutions, each pair followed by a pool, and one layer.
/// Source  Zhang et al., LQ-Nets, arXiv:1807.10029 (VGG-Small, a simplified VGGNet for CIFAR-10)
Graph vgg_small(Builder net, const Settings& settings) {
  Feature x = net.input({3, settings.resolution, settings.resolution});
  for (const std::int64_t channels : {128, 256, 512}) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      x = net.conv(x, scaled_channels(channels, settings.width), 3, 1, Activation::Relu);
    }
    x = net.max_pool(x, 2, 2, 0, false);
  }
  return net.finish(net.dense(net.flatten(x), settings.classes));
}

/// `layers` hidden layers of `units`.
Graph mlp(Builder net, const Settings& settings) {
  Feature x = net.input({settings.inputs});
  for (std::int64_t layer = 0; layer < settings.layers; ++layer) x = net.dense(x, settings.units, Activation::Relu);
  return net.finish(net.dense(x, settings.classes));
}

}  // namespace adze::zoo
