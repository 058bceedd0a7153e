#pragma once

#include "adze/graph/graph.h"
#include "adze/zoo/builder.h"

namespace adze::zoo {

/// What a family is built with.
struct Settings {
  double width = 1;             ///< factor on channel counts
  std::int64_t resolution = 0;  ///< height and width of the picture; 0: not a picture
  std::int64_t classes = 0;     ///< outputs of the last layer
};

// One file a family; the table in zoo.cpp names the networks.
Graph autoencoder(Builder net, const Settings& settings);
Graph ds_cnn(Builder net, const Settings& settings);
Graph efficientnet_b0(Builder net, const Settings& settings);
Graph encoder_4x256(Builder net, const Settings& settings);
Graph mobilenet_v1(Builder net, const Settings& settings);
Graph mobilenet_v1_tiny(Builder net, const Settings& settings);
Graph mobilenet_v2(Builder net, const Settings& settings);
Graph mobilenet_v2_small_picture(Builder net, const Settings& settings);
Graph mobilenet_v3_small(Builder net, const Settings& settings);
Graph resnet8(Builder net, const Settings& settings);
Graph resnet20(Builder net, const Settings& settings);
Graph resnet32(Builder net, const Settings& settings);
Graph resnet56(Builder net, const Settings& settings);
Graph lenet_300_100(Builder net, const Settings& settings);
Graph lenet5(Builder net, const Settings& settings);
Graph resnet34(Builder net, const Settings& settings);
Graph resnet18(Builder net, const Settings& settings);
Graph resnet50(Builder net, const Settings& settings);
Graph squeezenet_1_1(Builder net, const Settings& settings);

}  // namespace adze::zoo
