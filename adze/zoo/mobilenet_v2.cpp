#include <algorithm>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

struct Stage {
  std::int64_t expansion, channels, blocks, stride;
};

constexpr Stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                            {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

Feature inverted_residual(Builder& net, const Feature& x, std::int64_t expansion, std::int64_t channels,
                          std::int64_t stride) {
  Feature y = x;
  if (expansion != 1) y = net.conv(y, x.channels() * expansion, 1, 1, Activation::Relu6);
  y = net.depthwise(y, 3, stride, Activation::Relu6);
  const bool residual = stride == 1 && x.channels() == channels;
  y = net.conv(y, channels, {.gain = residual ? 0.25 : 2});
  return residual ? net.add(x, y) : y;
}

/// first_strides: of the first convolution and of the stage of 24 channels.
Graph mobilenet(Builder net, const Settings& settings, std::int64_t first_strides) {
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), rounded_channels(32 * settings.width),
                       3, first_strides, Activation::Relu6);
  for (const Stage& stage : stages) {
    const std::int64_t channels = rounded_channels(static_cast<double>(stage.channels) * settings.width);
    const std::int64_t stride = stage.channels == 24 ? first_strides : stage.stride;
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      x = inverted_residual(net, x, stage.expansion, channels, block == 0 ? stride : 1);
    }
  }
  x = net.conv(x, rounded_channels(1280 * std::max(1.0, settings.width)), 1, 1, Activation::Relu6);
  return net.finish(net.dense(net.flatten(net.mean(x)), settings.classes));
}

}  // namespace

/// Inverted residuals with linear bottlenecks.
/// Source  Sandler et al., MobileNetV2, arXiv:1801.04381, table 2
Graph mobilenet_v2(Builder net, const Settings& settings) {
  return mobilenet(std::move(net), settings, 2);
}

/// The same for 32 × 32 pictures: the first two strides are 1, so that 4 × 4 positions remain.
Graph mobilenet_v2_cifar(Builder net, const Settings& settings) {
  return mobilenet(std::move(net), settings, 1);
}

}  // namespace adze::zoo
