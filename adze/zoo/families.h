#pragma once

#include "adze/graph/graph.h"
#include "adze/zoo/builder.h"

namespace adze::zoo {

/// What a network is built with. A size of 0 is one that it does not have.
struct Settings {
  int variant = 0;              ///< which of the family's networks
  double width = 0;             ///< factor on channel counts
  std::int64_t resolution = 0;  ///< height and width of the picture
  std::int64_t classes = 0;     ///< outputs of the last layer
  std::int64_t layers = 0;      ///< repeated blocks or layers
  std::int64_t heads = 0;       ///< of attention
  std::int64_t features = 0;    ///< numbers per step or token
  std::int64_t context = 0;     ///< steps or tokens
  std::int64_t vocabulary = 0;  ///< different tokens
  std::int64_t units = 0;       ///< of a hidden layer
  std::int64_t inputs = 0;      ///< numbers of a flat input
};

// One file a family; the table in zoo.cpp names the networks.
Graph autoencoder(Builder net, const Settings& settings);
Graph cifar_resnet(Builder net, const Settings& settings);  ///< layers: blocks a stage; variant 1: option A
Graph ds_cnn(Builder net, const Settings& settings);        ///< variant: 0 small, 1 medium, 2 large
Graph efficientnet(Builder net, const Settings& settings);  ///< variant: B0 … B7
Graph encoder(Builder net, const Settings& settings);
Graph gpt(Builder net, const Settings& settings);
Graph gru(Builder net, const Settings& settings);
Graph lenet_300_100(Builder net, const Settings& settings);
Graph lenet5(Builder net, const Settings& settings);
Graph lstm(Builder net, const Settings& settings);
Graph mlp(Builder net, const Settings& settings);
Graph mobilenet_v1(Builder net, const Settings& settings);
Graph mobilenet_v1_tiny(Builder net, const Settings& settings);
Graph mobilenet_v2(Builder net, const Settings& settings);
Graph mobilenet_v2_cifar(Builder net, const Settings& settings);
Graph mobilenet_v3_large(Builder net, const Settings& settings);
Graph mobilenet_v3_small(Builder net, const Settings& settings);
Graph resnet(Builder net, const Settings& settings);  ///< variant: 18, 34, 50
Graph resnet8(Builder net, const Settings& settings);
Graph resnext50(Builder net, const Settings& settings);
Graph se_resnet50(Builder net, const Settings& settings);
Graph squeezenet(Builder net, const Settings& settings);  ///< variant: 10, 11
Graph vgg_small(Builder net, const Settings& settings);

}  // namespace adze::zoo
