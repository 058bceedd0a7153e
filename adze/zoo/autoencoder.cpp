#include "adze/zoo/families.h"

namespace adze::zoo {

/// Fully connected layers down to 8 numbers and back: finds machine sounds that it has not heard before.
/// Source  MLPerf Tiny v1, anomaly detection (ToyADMOS)
Graph autoencoder(Builder net, const Settings& settings) {
  const std::int64_t hidden = scaled_channels(128, settings.width);
  Feature x = net.input({settings.classes});
  for (const bool narrowest : {false, false, false, false, true, false, false, false, false}) {
    x = net.normalized_dense(x, narrowest ? 8 : hidden, Activation::Relu);
  }
  return net.finish(net.dense(x, settings.classes));
}

}  // namespace adze::zoo
