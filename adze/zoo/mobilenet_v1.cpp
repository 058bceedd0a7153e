#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

struct Block {
  std::int64_t channels, stride;
};

constexpr Block blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                            {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};

Graph mobilenet(Builder net, const Settings& settings, Padding padding) {
  const auto scaled = [&](std::int64_t channels) { return scaled_channels(channels, settings.width); };
  Feature x =
      net.conv(net.input({3, settings.resolution, settings.resolution}), scaled(32), 3, 2, Activation::Relu, padding);
  for (const Block& block : blocks) {
    x = net.depthwise(x, 3, block.stride, Activation::Relu, padding);
    x = net.conv(x, scaled(block.channels), 1, 1, Activation::Relu);
  }
  return net.finish(net.softmax(net.dense(net.flatten(net.mean(x)), settings.classes)));
}

}  // namespace

/// Depthwise separable convolutions; width is the paper's alpha.
/// Source  Howard et al., MobileNets, arXiv:1704.04861, table 1
Graph mobilenet_v1(Builder net, const Settings& settings) {
  return mobilenet(std::move(net), settings, Padding::Half);
}

/// With TensorFlow's padding, as trained for persons in pictures.
/// Source  MLPerf Tiny v1, visual wake words
Graph mobilenet_v1_tiny(Builder net, const Settings& settings) {
  return mobilenet(std::move(net), settings, Padding::Same);
}

}  // namespace adze::zoo
