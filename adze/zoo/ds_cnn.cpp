#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

/// The channels, the first convolution's stride over the coefficients, the stride of the first block, the blocks.
struct Size {
  std::int64_t channels, coefficient_stride, block_stride;
  int blocks;
};
constexpr Size sizes[] = {{64, 2, 1, 4}, {172, 1, 2, 4}, {276, 1, 2, 5}};

}  // namespace

/// Depthwise separable convolutions over spectral features (context × features): spoken key words.
/// Source  Zhang et al., Hello Edge, arXiv:1711.07128, table 9; MLPerf Tiny v1, keyword spotting (the small one)
Graph ds_cnn(Builder net, const Settings& settings) {
  const Size& size = sizes[settings.variant];
  const std::int64_t channels = scaled_channels(size.channels, settings.width);
  Feature x = net.conv(net.input({1, settings.context, settings.features}), channels,
                       {.kernel_height = 10,
                        .kernel_width = 4,
                        .stride = size.coefficient_stride,
                        .stride_height = 2,
                        .padding = Padding::Same,
                        .activation = Activation::Relu});
  for (int block = 0; block < size.blocks; ++block) {
    x = net.depthwise(x, 3, block == 0 ? size.block_stride : 1, Activation::Relu, Padding::Same);
    x = net.conv(x, channels, 1, 1, Activation::Relu);
  }
  return net.finish(net.softmax(net.dense(net.flatten(net.mean(x)), settings.classes)));
}

}  // namespace adze::zoo
